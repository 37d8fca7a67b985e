"""openstacksdk as a script of an operator would use it: everything that its baremetal proxy can do."""

import openstack
from openstack import exceptions
from openstack.baremetal import configdrive
from openstack.baremetal.v1 import _proxy
from openstack.proxy import Proxy

from stories import listen, refused, story

TIMEOUT = 600  # of the library's quick seconds
VIF = "00000000-0000-4000-8000-000000000001"
HOLD = {"interface": "deploy", "step": "hold"}


class Recorded:
    """The proxy, and which of its functions were called."""

    def __init__(self, proxy):
        self.proxy, self.called = proxy, set()

    def __getattr__(self, name):
        self.called.add(name)
        return getattr(self.proxy, name)


baremetal = Recorded(openstack.connect(load_yaml_config=False).baremetal)
kept = {}


def names(resources):
    return sorted(each.name for each in resources)


@story
def enrols_validates_and_provides():
    node = baremetal.create_node(name="sdk", driver="fake-hardware", provision_state="enroll")
    kept["node"] = node.id
    assert node.provision_state == "enroll", node.provision_state
    refused(exceptions.ConflictException, baremetal.create_node, name="sdk", driver="fake-hardware")
    refused(exceptions.BadRequestException, baremetal.create_node, name="other", driver="none-such")
    baremetal.create_port(node_id=node.id, address="52:54:00:00:01:01")
    node = baremetal.set_node_provision_state(node, "manage")
    baremetal.wait_for_nodes_provision_state([node.id], "manageable", timeout=TIMEOUT)
    node = baremetal.set_node_provision_state(node, "inspect", wait=True, timeout=TIMEOUT)
    assert node.provision_state == "manageable", node.provision_state
    checks = baremetal.validate_node(node)
    assert checks["power"].result is True, checks["power"].reason
    assert checks["boot"].result is True, checks["boot"].reason
    node = baremetal.set_node_provision_state(node, "provide", wait=True, timeout=TIMEOUT)
    assert node.provision_state == "available", node.provision_state
    assert node.power_state == "power off", node.power_state
    baremetal.wait_for_node_reservation(node, timeout=TIMEOUT)
    straight = baremetal.create_node(name="straight", driver="fake-hardware", provision_state="manageable")
    assert straight.provision_state == "manageable", straight.provision_state
    kept["straight"] = straight.id


@story
def updates_patches_and_finds_nodes():
    node = baremetal.update_node(kept["node"], resource_class="big", extra={"rack": "7"}, properties={"cpu_arch": "x86_64"})
    assert (node.resource_class, node.extra) == ("big", {"rack": "7"}), node
    node = baremetal.patch_node(kept["node"], [{"op": "add", "path": "/extra/shelf", "value": 3}])
    assert node.extra == {"rack": "7", "shelf": 3}, node.extra
    node = baremetal.patch_node(
        kept["straight"], [{"op": "replace", "path": "/driver", "value": "fake-hardware"}], reset_interfaces=True
    )
    refused(exceptions.SDKException, baremetal.patch_node, kept["node"], [{"op": "remove", "path": "/extra/none"}])
    assert baremetal.find_node("sdk").id == kept["node"]
    assert baremetal.find_node("none-such") is None
    refused(exceptions.ResourceNotFound, baremetal.get_node, "none-such")
    assert names(baremetal.nodes()) == ["sdk", "straight"]
    assert names(baremetal.nodes(details=True, resource_class="big", is_maintenance=False)) == ["sdk"]
    assert names(baremetal.nodes(limit=1)) == ["sdk", "straight"], "pages are followed"
    part = baremetal.get_node("sdk", fields=["name", "instance_id"])
    assert (part.name, part.driver) == ("sdk", None), part
    node = baremetal.set_node_maintenance(kept["node"], reason="dust")
    assert (node.is_maintenance, node.maintenance_reason) == (True, "dust")
    assert names(baremetal.nodes(is_maintenance=True)) == ["sdk"]
    assert baremetal.unset_node_maintenance(kept["node"]).is_maintenance is False


@story
def keeps_ports_port_groups_and_chassis():
    chassis = baremetal.create_chassis(description="left")
    assert baremetal.update_chassis(chassis, description="right").description == "right"
    chassis = baremetal.patch_chassis(chassis, [{"op": "add", "path": "/extra/a", "value": 1}])
    assert baremetal.get_chassis(chassis.id, fields=["extra"]).extra == {"a": 1}
    assert baremetal.find_chassis(chassis.id).id == chassis.id
    assert [each.id for each in baremetal.chassis(details=True)] == [chassis.id]
    baremetal.delete_chassis(chassis, ignore_missing=False)
    refused(exceptions.ResourceNotFound, baremetal.delete_chassis, chassis.id, ignore_missing=False)

    group = baremetal.create_port_group(node_id=kept["straight"], name="bond", mode="802.3ad")
    port = baremetal.create_port(node_id=kept["straight"], address="52:54:00:00:01:02", port_group_id=group.id)
    refused(exceptions.ConflictException, baremetal.create_port, node_id=kept["straight"], address="52:54:00:00:01:02")
    refused(exceptions.BadRequestException, baremetal.create_port, node_id=kept["straight"], address="nonsense")
    assert baremetal.update_port(port, extra={"a": 1}).extra == {"a": 1}
    port = baremetal.patch_port(port, [{"op": "replace", "path": "/pxe_enabled", "value": False}])
    assert port.is_pxe_enabled is False
    assert baremetal.get_port(port.id, fields=["address"]).address == "52:54:00:00:01:02"
    assert baremetal.find_port(port.id).id == port.id
    assert [each.id for each in baremetal.ports(address="52:54:00:00:01:02")] == [port.id]
    assert [each.id for each in baremetal.ports(details=True, node=kept["straight"])] == [port.id]
    assert baremetal.update_port_group(group, address="52:54:00:00:01:99").address == "52:54:00:00:01:99"
    group = baremetal.patch_port_group(group, [{"op": "add", "path": "/properties/miimon", "value": "100"}])
    assert baremetal.get_port_group(group.id, fields=["properties"]).properties == {"miimon": "100"}
    assert baremetal.find_port_group("bond").id == group.id
    assert names(baremetal.port_groups(details=True, node=kept["straight"])) == ["bond"]
    refused(exceptions.BadRequestException, baremetal.delete_port_group, group.id)
    baremetal.delete_port(port)
    baremetal.delete_port_group(group)
    assert list(baremetal.port_groups()) == []


@story
def keeps_volumes_templates_and_traits():
    node = kept["straight"]
    connector = baremetal.create_volume_connector(node_id=node, type="iqn", connector_id="iqn.2026-11.t:a")
    target = baremetal.create_volume_target(node_id=node, volume_type="iscsi", volume_id="v", boot_index=0)
    for kind, made, change in (("connector", connector, {"extra": {"a": 1}}), ("target", target, {"extra": {"a": 1}})):
        do = lambda verb: getattr(baremetal, f"{verb}_volume_{kind}")
        assert do("update")(made, **change).extra == {"a": 1}
        do("patch")(made, [{"op": "add", "path": "/extra/b", "value": 2}])
        assert do("get")(made.id, fields=["extra"]).extra == {"a": 1, "b": 2}
        assert do("find")(made.id).id == made.id
        listed = getattr(baremetal, f"volume_{kind}s")(details=True, node=node)
        assert [each.id for each in listed] == [made.id]
        do("delete")(made, ignore_missing=False)

    steps = [{"interface": "bios", "step": "factory_reset", "args": {}, "priority": 150}]
    template = baremetal.create_deploy_template(name="CUSTOM_SDK", steps=steps)
    assert baremetal.update_deploy_template(template, extra={"a": 1}).extra == {"a": 1}
    baremetal.patch_deploy_template(template, [{"op": "add", "path": "/extra/b", "value": 2}])
    assert baremetal.get_deploy_template("CUSTOM_SDK", fields=["name", "extra"]).extra == {"a": 1, "b": 2}
    assert names(baremetal.deploy_templates(details=True)) == ["CUSTOM_SDK"]
    refused(exceptions.BadRequestException, baremetal.create_deploy_template, name="CUSTOM_NONE", steps=[])

    baremetal.set_node_traits(kept["node"], ["CUSTOM_A", "HW_CPU_X86_VMX"])
    baremetal.add_node_trait(kept["node"], "CUSTOM_SDK")
    baremetal.remove_node_trait(kept["node"], "CUSTOM_A")
    assert sorted(baremetal.get_node(kept["node"]).traits) == ["CUSTOM_SDK", "HW_CPU_X86_VMX"]
    refused(exceptions.SDKException, baremetal.add_node_trait, kept["node"], "lower case")


@story
def allocates_deploys_and_undeploys():
    allocation = baremetal.create_allocation(name="a", resource_class="big", traits=["CUSTOM_SDK"])
    allocation = baremetal.wait_for_allocation(allocation, timeout=TIMEOUT)
    assert (allocation.state, allocation.node_id) == ("active", kept["node"]), allocation
    assert baremetal.update_allocation(allocation, extra={"k": "v"}).extra == {"k": "v"}
    assert baremetal.patch_allocation(allocation, [{"op": "replace", "path": "/name", "value": "b"}]).name == "b"
    assert baremetal.get_allocation("b", fields=["state"]).state == "active"
    assert names(baremetal.allocations(node=kept["node"])) == ["b"]
    failing = baremetal.create_allocation(name="none", resource_class="none-such")
    refused(exceptions.ResourceFailure, baremetal.wait_for_allocation, failing, timeout=TIMEOUT)
    baremetal.delete_allocation(failing, ignore_missing=False)

    assert baremetal.get_node(kept["node"]).instance_id == allocation.id
    baremetal.update_node(kept["node"], instance_info={"image_source": "http://images.test/i", "traits": ["CUSTOM_SDK"]})
    drive = {"meta_data": {"hostname": "sdk"}, "user_data": "#cloud-config"}
    node = baremetal.set_node_provision_state(
        kept["node"], "active", config_drive=drive, wait=True, timeout=TIMEOUT, deploy_steps=[{**HOLD, "args": {}, "priority": 0}]
    )
    assert (node.provision_state, node.power_state) == ("active", "power on"), node
    refused(exceptions.SDKException, baremetal.delete_allocation, "b", ignore_missing=False)
    refused(exceptions.SDKException, baremetal.delete_node, kept["node"])
    node = baremetal.set_node_provision_state(kept["node"], "rescue", rescue_password="s", wait=True, timeout=TIMEOUT)
    baremetal.set_node_provision_state(kept["node"], "unrescue")
    baremetal.wait_for_nodes_provision_state([kept["node"]], "active", timeout=TIMEOUT)
    drive = configdrive.build({"hostname": "sdk"}, user_data=b"#cloud-config")
    node = baremetal.set_node_provision_state(kept["node"], "rebuild", config_drive=drive, wait=True, timeout=TIMEOUT)
    node = baremetal.set_node_provision_state(kept["node"], "deleted", wait=True, timeout=TIMEOUT)
    assert (node.provision_state, node.instance_id, node.instance_info) == ("available", None, {}), node
    assert list(baremetal.allocations()) == []


@story
def sees_a_failure_as_one():
    node = baremetal.set_node_provision_state(kept["node"], "manage", wait=True, timeout=TIMEOUT)
    baremetal.set_node_provision_state(node, "clean", clean_steps=[HOLD])
    baremetal.wait_for_nodes_provision_state([node.id], "clean hold", timeout=TIMEOUT)
    baremetal.set_node_provision_state(node, "abort")
    error = refused(
        exceptions.ResourceFailure, baremetal.wait_for_nodes_provision_state, [node.id], "manageable", timeout=TIMEOUT
    )
    assert "aborted" in str(error), error
    result = baremetal.wait_for_nodes_provision_state([node.id], "manageable", timeout=TIMEOUT, fail=False)
    assert (len(result.success), len(result.failure)) == (0, 1), result
    baremetal.unset_node_maintenance(node.id)
    baremetal.set_node_provision_state(node.id, "manage", wait=True, timeout=TIMEOUT)
    refused(exceptions.BadRequestException, baremetal.set_node_provision_state, node.id, "unrescue")


@story
def switches_power_and_boot_device():
    node = kept["node"]
    baremetal.set_node_power_state(node, "power on", wait=True, timeout=TIMEOUT)
    baremetal.set_node_power_state(node, "soft rebooting", wait=True, timeout=TIMEOUT)
    baremetal.set_node_power_state(node, "soft power off")
    baremetal.wait_for_node_power_state(node, "power off", timeout=TIMEOUT)
    baremetal.set_node_boot_device(node, "pxe", persistent=True)
    refused(exceptions.BadRequestException, baremetal.set_node_boot_device, node, "none-such")
    refused(exceptions.BadRequestException, baremetal.set_node_boot_mode, node, "uefi")
    refused(exceptions.BadRequestException, baremetal.set_node_secure_boot, node, True)


@story
def attaches_vifs_and_calls_vendor_methods():
    node = kept["node"]
    baremetal.attach_vif_to_node(node, VIF)
    assert baremetal.list_node_vifs(node) == []
    assert baremetal.detach_vif_from_node(node, VIF) is True
    assert "second_method" in baremetal.list_node_vendor_passthru(node)
    baremetal.call_node_vendor_passthru(node, "post", "second_method", {"bar": "kazoo"})
    refused(exceptions.BadRequestException, baremetal.call_node_vendor_passthru, node, "post", "none", {})
    assert baremetal.list_driver_vendor_passthru("fake-hardware") == {}
    refused(exceptions.BadRequestException, baremetal.call_driver_vendor_passthru, "fake-hardware", "post", "none", {})


@story
def sees_drivers_and_conductors():
    assert "fake-hardware" in names(baremetal.drivers())
    assert all(each.default_power_interface for each in baremetal.drivers(details=True))
    assert baremetal.get_driver("fake-hardware").hosts == ["site-1-appliance"]
    (conductor,) = baremetal.conductors()  # of details it asks at an address that Ironic doesn't have either
    assert (conductor.hostname, conductor.alive) == ("site-1-appliance", True), conductor
    assert baremetal.get_conductor("site-1-appliance").conductor_group == "site-1"


@story
def deletes_what_it_made():
    baremetal.delete_deploy_template("CUSTOM_SDK", ignore_missing=False)
    for node in (kept["node"], kept["straight"]):
        baremetal.delete_node(node, ignore_missing=False)
    assert list(baremetal.nodes()) == []
    assert list(baremetal.ports()) == []


@story
def leaves_no_function_out():
    own = {name for name in vars(_proxy.Proxy) if not name.startswith("_") and not hasattr(Proxy, name)}
    assert len(own) > 70, own
    missing = sorted(name for name in own if callable(getattr(_proxy.Proxy, name)) and name not in baremetal.called)
    assert missing == [], missing


listen()
