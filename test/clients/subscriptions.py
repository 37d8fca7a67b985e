"""Event subscriptions of a BMC as an operator's script makes them with openstacksdk, which sends the arguments of a GET in its body."""

import openstack
from openstack import exceptions

from stories import listen, refused, story

baremetal = openstack.connect(load_yaml_config=False).baremetal
node = next(each.id for each in baremetal.nodes())
wish = {"Destination": "https://events.example/", "Context": "sdk", "EventTypes": ["StatusChange"]}


def call(verb, method, body=None):
    return baremetal.call_node_vendor_passthru(node, verb, method, body)


@story
def makes_shows_and_deletes():
    made = call("post", "create_subscription", wish).json()
    kept = made.pop("Id")
    assert made == {**wish, "Protocol": "Redfish"}, made
    assert call("get", "get_subscription", {"id": kept}).json() == {**made, "Id": kept}
    assert call("get", "get_all_subscriptions").json()["Members@odata.count"] == 1
    reply = call("delete", "delete_subscription", {"id": kept})
    assert (reply.status_code, reply.json()) == (200, None), reply
    refused(exceptions.NotFoundException, call, "delete", "delete_subscription", {"id": kept})


@story
def is_refused_in_words():
    refused(exceptions.BadRequestException, call, "post", "create_subscription", {"Destination": "nowhere"})
    refused(exceptions.BadRequestException, call, "get", "get_subscription", {})


listen()
