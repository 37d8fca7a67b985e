"""openstacksdk's cloud layer as a script of somebody who wants servers would use it."""

import openstack
from openstack import exceptions

from stories import listen, refused, story

TIMEOUT = 180
cloud = openstack.connect(load_yaml_config=False)


@story
def makes_what_a_server_needs():
    flavor = cloud.create_flavor("metal", ram=1024, vcpus=1, disk=1)
    cloud.set_flavor_specs(flavor.id, {"resources:CUSTOM_BAREMETAL": "1"})
    assert cloud.get_flavor("metal").extra_specs["resources:CUSTOM_BAREMETAL"] == "1"
    pair = cloud.create_keypair("mine")
    assert "PRIVATE KEY" in pair.private_key, "no private key"
    assert pair.public_key.startswith("ssh-"), pair.public_key
    network = cloud.create_network("rack")
    subnet = cloud.create_subnet(network.id, cidr="10.20.0.0/24", subnet_name="rack-4")
    assert subnet.gateway_ip == "10.20.0.1", subnet
    assert cloud.get_image("debian").status == "active"


@story
def makes_a_server_and_waits_for_it():
    server = cloud.create_server(
        "web",
        image="debian",
        flavor="metal",
        network="rack",
        key_name="mine",
        meta={"role": "web"},
        userdata="#!/bin/sh\n",
        wait=True,
        auto_ip=False,
        timeout=TIMEOUT,
    )
    assert server.status == "ACTIVE", server.status
    [address] = [each["addr"] for each in server.addresses["rack"]]
    assert address.startswith("10.20.0."), address
    assert server.interface_ip == address, server.interface_ip
    assert server.metadata == {"role": "web"}, server.metadata


@story
def finds_it_and_changes_it():
    server = cloud.get_server("web")
    assert [each.id for each in cloud.list_servers()] == [server.id]
    assert cloud.search_servers("web", {"status": "ACTIVE"})
    cloud.set_server_metadata(server.id, {"tier": "one"})
    cloud.delete_server_metadata(server.id, ["role"])
    cloud.update_server(server.id, name="www")
    server = cloud.get_server("www")
    assert server.metadata == {"tier": "one"}, server.metadata
    actions = cloud.compute.get(f"/servers/{server.id}/os-instance-actions").json()["instanceActions"]
    assert [each["action"] for each in actions] == ["create"], actions
    interfaces = list(cloud.compute.server_interfaces(server.id))
    assert len(interfaces) == 1 and interfaces[0].port_state == "ACTIVE", interfaces
    refused(exceptions.BadRequestException, cloud.compute.pause_server, server.id)


@story
def switches_it_and_writes_it_anew():
    server = cloud.get_server("www")
    cloud.compute.stop_server(server.id)
    cloud.compute.wait_for_server(server, status="SHUTOFF", wait=TIMEOUT)
    cloud.compute.start_server(server.id)
    cloud.compute.wait_for_server(server, status="ACTIVE", wait=TIMEOUT)
    image = cloud.get_image("debian")
    rebuilt = cloud.rebuild_server(server.id, image.id, wait=True, timeout=TIMEOUT)
    assert rebuilt.status == "ACTIVE", rebuilt.status


@story
def deletes_it():
    assert cloud.delete_server("www", wait=True, timeout=TIMEOUT)
    assert cloud.list_servers() == []
    assert cloud.list_ports({"network_id": cloud.get_network("rack").id}) == []
    assert cloud.delete_subnet("rack-4") and cloud.delete_network("rack")
    assert cloud.delete_keypair("mine") and cloud.delete_flavor("metal")


listen()
