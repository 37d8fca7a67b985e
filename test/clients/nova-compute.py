"""Nova's own ironic driver. What of Nova isn't here is its database, so that instances are objects in memory; everything that the driver
says to Ironic is its own."""

import logging
import os
import tempfile
import threading
import uuid

import openstack
import requests
import nova.conf
from nova import context as nova_context
from nova import exception, objects
from nova.api.metadata import base as metadata
from nova.compute import power_state, provider_tree, task_states, vm_states
from nova.network import model
from nova.virt import block_device
from nova.virt.ironic import driver as ironic_driver

from stories import listen, refused, story

RESOURCE_CLASS = "baremetal.gold"
HOLD = {"interface": "deploy", "step": "hold", "args": {}, "priority": 150}
given = os.environ
folder = tempfile.TemporaryDirectory(prefix="bloomery-nova-")
settings = {
    "auth_type": given.get("OS_AUTH_TYPE", "password"),
    "region_name": given.get("OS_REGION_NAME"),
    "endpoint": given.get("OS_ENDPOINT") if given.get("OS_AUTH_TYPE") == "http_basic" else None,
    "endpoint_override": given.get("OS_ENDPOINT"),
    "auth_url": given.get("OS_AUTH_URL"),
    "username": given.get("OS_USERNAME"),
    "password": given.get("OS_PASSWORD"),
    "user_domain_name": given.get("OS_USER_DOMAIN_NAME"),
    "system_scope": given.get("OS_SYSTEM_SCOPE"),
    "api_retry_interval": 1,
    "partition_key": "site-1",
    "peer_list": "compute-1",
}
path = os.path.join(folder.name, "nova.conf")
with open(path, "w") as conf:
    conf.write(f"[DEFAULT]\nhost = compute-1\nstate_path = {folder.name}\n")
    conf.write(f"[oslo_concurrency]\nlock_path = {folder.name}\n[ironic]\n")
    conf.writelines(f"{name} = {value}\n" for name, value in settings.items() if value is not None)
nova.conf.CONF(["--config-file", path], project="nova")
objects.register_all()
logging.disable(logging.CRITICAL)  # what it thinks of failures that are part of a story

# Nova's database: which computes there are, whose instances are on them, and what else belongs to an instance.
instances = []
objects.ServiceList.get_all_computes_by_hv_type = lambda *_: []
objects.InstanceList.get_uuids_by_host = lambda *_: [each.uuid for each in instances]
objects.Instance.save = lambda *_, **__: None
objects.Instance.refresh = lambda *_, **__: None
metadata._format_instance_mapping = lambda *_: {}
metadata.security_group_api.get_instance_security_groups = lambda *_: []

context = nova_context.get_admin_context()
driver = ironic_driver.IronicDriver(None)
baremetal = openstack.connect(load_yaml_config=False).baremetal
kept = {}


def instance_on(node, extra_specs=None):
    flavor = objects.Flavor(
        name="gold", vcpus=0, memory_mb=0, root_gb=10, ephemeral_gb=0, swap=0, extra_specs={"capabilities:boot_mode": "uefi", **(extra_specs or {})}
    )
    made = objects.Instance(
        context, uuid=str(uuid.uuid4()), node=node, host="compute-1", hostname="server", display_name="server", flavor=flavor,
        config_drive="True", user_data=None, vm_state=vm_states.BUILDING, task_state=task_states.SPAWNING, metadata={}, system_metadata={},
        keypairs=objects.KeyPairList(objects=[]), device_metadata=None, numa_topology=None, availability_zone="nova", project_id="p",
        user_id="u", image_ref="", launch_index=0, key_name=None, key_data=None, reservation_id="r-1", root_device_name="/dev/sda",
        ec2_ids=objects.EC2Ids(instance_id="i-1", ami_id="ami-1", kernel_id=None, ramdisk_id=None), trusted_certs=None,
    )  # fmt: skip
    instances.append(made)
    return made


def networks():
    subnet = model.Subnet(cidr="10.0.0.0/24", ips=[model.FixedIP(address="10.0.0.9")], dns=[], gateway=model.IP(address="10.0.0.1"), routes=[])
    network = model.Network(id=str(uuid.uuid4()), bridge=None, label="net", subnets=[subnet], mtu=1500)
    return model.NetworkInfo([model.VIF(id=str(uuid.uuid4()), address="52:54:00:00:02:01", network=network, type="other", active=True)])


def image():
    return objects.ImageMeta(id=str(uuid.uuid4()), name="debian", properties=objects.ImageMetaProps())


def spawn(instance, network_info, **more):
    driver.prepare_for_spawn(instance)
    driver.prepare_networks_before_block_device_mapping(instance, network_info)
    driver.spawn(context, instance, image(), [], "secret", {}, network_info, **more)


def new_node(name, **more):
    # To `available` by way of `manageable`: the library does that.
    made = baremetal.create_node(
        name=name, driver="fake-hardware", conductor_group="site-1", resource_class=RESOURCE_CLASS, console_interface="no-console",
        properties={"cpu_arch": "x86_64", "cpus": 8, "memory_mb": 1024, "local_gb": 100, "capabilities": "boot_mode:uefi"},
        provision_state="available", **more
    )  # fmt: skip
    number = len(list(baremetal.nodes()))
    baremetal.create_port(node_id=made.id, address=f"52:54:00:00:02:{number:02x}")
    return made.id


@story
def sees_what_nodes_there_are_and_what_they_offer():
    kept["node"] = new_node("first")
    baremetal.set_node_traits(kept["node"], ["CUSTOM_HOLD", "HW_CPU_X86_VMX"])
    driver.init_host("compute-1")
    assert driver.get_available_nodes() == [kept["node"]], driver.get_available_nodes()
    assert driver.node_is_available(kept["node"])
    found = driver.get_available_resource(kept["node"])
    assert found["resource_class"] == RESOURCE_CLASS, found
    assert found["stats"] == {"cpu_arch": "x86_64", "boot_mode": "uefi"}, found
    tree = provider_tree.ProviderTree()
    tree.new_root(kept["node"], kept["node"], generation=0)
    driver.update_provider_tree(tree, kept["node"])
    offered = tree.data(kept["node"])
    assert offered.inventory["CUSTOM_BAREMETAL_GOLD"]["reserved"] == 0, offered.inventory
    assert offered.traits == {"CUSTOM_HOLD", "HW_CPU_X86_VMX"}, offered.traits


@story
def puts_an_instance_on_a_node():
    kept["instance"], kept["networks"] = instance_on(kept["node"], {"trait:HW_CPU_X86_VMX": "required"}), networks()
    spawn(kept["instance"], kept["networks"])
    node = baremetal.get_node(kept["node"])
    assert (node.provision_state, node.instance_id) == ("active", kept["instance"].uuid), node
    assert node.instance_info["display_name"] == "server", node.instance_info
    assert node.instance_info["traits"] == ["HW_CPU_X86_VMX"], node.instance_info
    assert node.instance_info["configdrive"] == "******", node.instance_info
    kept["instance"].vm_state, kept["instance"].task_state = vm_states.ACTIVE, None
    assert driver.instance_exists(kept["instance"])
    assert driver.get_info(kept["instance"], use_cache=False).state == power_state.RUNNING
    driver.get_available_nodes()
    tree = provider_tree.ProviderTree()
    tree.new_root(kept["node"], kept["node"], generation=0)
    driver.update_provider_tree(tree, kept["node"])
    assert tree.data(kept["node"]).inventory["CUSTOM_BAREMETAL_GOLD"]["reserved"] == 1


@story
def loses_a_race_for_a_node_at_once():
    late = instance_on(kept["node"])
    refused(exception.ComputeResourcesUnavailable, driver.prepare_for_spawn, late)
    stale = driver._get_node(kept["node"])
    stale._original_body["instance_uuid"] = None  # as it was before the other came
    refused(exception.InstanceDeployFailure, driver._set_instance_id, stale, late)
    assert baremetal.get_node(kept["node"]).instance_id == kept["instance"].uuid
    driver.destroy(context, late, None)


@story
def switches_power():
    instance = kept["instance"]
    driver.reboot(context, instance, None, "SOFT")
    driver.reboot(context, instance, None, "HARD")
    driver.power_off(instance, timeout=30)
    assert driver.get_info(instance, use_cache=False).state == power_state.SHUTDOWN
    driver.power_on(context, instance, None)
    driver.power_off(instance)
    driver.power_on(context, instance, None)
    assert driver.get_info(instance, use_cache=False).state == power_state.RUNNING
    refused(ironic_driver.ironic.exc.BadRequest, driver.trigger_crash_dump, instance)
    refused(exception.ConsoleTypeUnavailable, driver.get_serial_console, context, instance)


@story
def plugs_and_unplugs_an_interface():
    (vif,) = networks()
    driver.attach_interface(context, kept["instance"], None, vif)
    driver.detach_interface(context, kept["instance"], vif)


@story
def rescues_and_unrescues():
    driver.rescue(context, kept["instance"], None, None, "secret", None)
    assert baremetal.get_node(kept["node"]).provision_state == "rescue"
    driver.unrescue(context, kept["instance"])
    assert baremetal.get_node(kept["node"]).provision_state == "active"


@story
def rebuilds():
    instance = kept["instance"]
    driver.rebuild(context, instance, image(), [], "secret", {}, [], None, None, kept["networks"], preserve_ephemeral=True)
    node = baremetal.get_node(kept["node"])
    assert (node.provision_state, node.instance_id) == ("active", instance.uuid), node
    assert node.instance_info["preserve_ephemeral"] == "True", node.instance_info
    instance.task_state = None


@story
def takes_the_instance_off():
    driver.destroy(context, kept["instance"], kept["networks"])
    assert not driver.instance_exists(kept["instance"])
    (node,) = baremetal.wait_for_nodes_provision_state([kept["node"]], "available", timeout=60)
    assert (node.instance_id, node.instance_info) == (None, {}), node
    driver.destroy(context, kept["instance"], kept["networks"])  # a second time: nothing to do


@story
def takes_the_instance_off_after_a_failed_deploy():
    baremetal.create_deploy_template(name="CUSTOM_HOLD", steps=[HOLD])
    instance, network_info = instance_on(kept["node"], {"trait:CUSTOM_HOLD": "required"}), networks()
    aborting = threading.Thread(target=abort_when_held)
    aborting.start()
    error = refused(exception.InstanceDeployFailure, spawn, instance, network_info)
    aborting.join()
    assert "abort" in str(error), error
    assert baremetal.get_node(kept["node"]).provision_state == "deploy failed"
    driver.destroy(context, instance, network_info)
    baremetal.wait_for_nodes_provision_state([kept["node"]], "available", timeout=60)


def abort_when_held():
    other = openstack.connect(load_yaml_config=False).baremetal
    other.wait_for_nodes_provision_state([kept["node"]], "deploy hold", timeout=60)
    url = f"{other.get_endpoint().rstrip('/').removesuffix('/v1')}/v1/nodes/{kept['node']}/states/provision"
    headers = {**other.session.get_auth_headers(), "X-OpenStack-Ironic-API-Version": "1.110"}
    requests.put(url, json={"target": "abort"}, headers=headers, timeout=30).raise_for_status()


@story
def cleans_up_after_what_does_not_validate():
    node = new_node("second", deploy_interface="direct", is_automated_clean_enabled=False)
    instance, network_info = instance_on(node), networks()
    error = refused(exception.ValidationError, spawn, instance, network_info)
    assert "Image" in str(error), error
    found = baremetal.get_node(node)
    assert (found.provision_state, found.instance_id, found.instance_info) == ("available", None, {}), found
    driver.failed_spawn_cleanup(instance)
    baremetal.delete_node(node)


@story
def attaches_volumes_and_detaches_them():
    baremetal.create_volume_connector(node_id=kept["node"], type="iqn", connector_id="iqn.2026-11.test:initiator")
    baremetal.create_volume_connector(node_id=kept["node"], type="ip", connector_id="10.0.0.9")
    instance, network_info = instance_on(kept["node"]), networks()
    connector = driver.get_volume_connector(instance)
    assert (connector["initiator"], connector["ip"]) == ("iqn.2026-11.test:initiator", "10.0.0.9"), connector
    volume = objects.BlockDeviceMapping(
        context, source_type="volume", destination_type="volume", boot_index=1, volume_id=str(uuid.uuid4()), device_name="/dev/sdb",
        connection_info='{"driver_volume_type": "iscsi", "data": {"target_iqn": "iqn.2026-11.test:target", "target_lun": 1}}',
        attachment_id=None, delete_on_termination=False, guest_format=None, device_type=None, disk_bus=None, volume_size=1, tag=None,
        no_device=False, snapshot_id=None, image_id=None, instance_uuid=instance.uuid, volume_type=None, encrypted=False,
    )  # fmt: skip
    info = {"block_device_mapping": block_device.convert_volumes([volume])}
    spawn(instance, network_info, block_device_info=info)
    (target,) = baremetal.volume_targets(node=kept["node"], details=True)
    assert (target.volume_id, target.boot_index) == (volume.volume_id, 1), target
    driver.destroy(context, instance, network_info, info)
    assert list(baremetal.volume_targets()) == []


listen()
