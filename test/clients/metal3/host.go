package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack/baremetal/v1/nodes"
	"github.com/gophercloud/gophercloud/openstack/baremetal/v1/ports"
)

const patience = 60 * time.Second

// host is a BareMetalHost: what BMO knows of a node, and the calls that it repeats.
type host struct {
	client          *gophercloud.ServiceClient
	name, mac, uuid string
}

func add(path string, value interface{}) nodes.UpdateOperation {
	return nodes.UpdateOperation{Op: nodes.AddOp, Path: path, Value: value}
}

func (of *host) now() *nodes.Node {
	node, err := nodes.Get(of.client, of.uuid).Extract()
	check(err, "get")
	return node
}

func (of *host) update(operations ...nodes.UpdateOperation) {
	patch := nodes.UpdateOpts{}
	for _, each := range operations {
		patch = append(patch, each)
	}
	_, err := nodes.Update(of.client, of.uuid, patch).Extract()
	check(err, fmt.Sprint("update ", operations))
}

// ask comes again after a conflict, as a reconciliation would.
func (of *host) ask(opts nodes.ProvisionStateOpts) error {
	for until := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		err := nodes.ChangeProvisionState(of.client, of.uuid, opts).ExtractErr()
		if !refusedWith(err, 409) || time.Now().After(until) {
			return err
		}
	}
}

func (of *host) raise(opts nodes.ProvisionStateOpts, state string) {
	check(of.ask(opts), string(opts.Target))
	of.awaits(state)
}

func (of *host) awaits(state string) {
	for until := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		node := of.now()
		if node.ProvisionState == state {
			return
		}
		failed := strings.HasSuffix(node.ProvisionState, "failed") || node.ProvisionState == "error"
		waiting := node.TargetProvisionState != "" && !failed
		expect(waiting && time.Now().Before(until), "waiting for "+state, node.ProvisionState, node.LastError)
	}
}

func (of *host) power(opts nodes.PowerStateOpts, state string) {
	check(nodes.ChangePowerState(of.client, of.uuid, opts).ExtractErr(), string(opts.Target))
	for until := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		node := of.now()
		if node.TargetPowerState == "" {
			expect(node.PowerState == state, string(opts.Target), node.PowerState, node.LastError)
			return
		}
		expect(time.Now().Before(until), "waiting for "+state, node.PowerState)
	}
}

func (of *host) portsAt(mac string) []ports.Port {
	pages, err := ports.ListDetail(of.client, ports.ListOpts{Address: mac}).AllPages()
	check(err, "ports")
	found, err := ports.ExtractPorts(pages)
	check(err, "ports")
	return found
}

// get and put: what this version of gophercloud has no functions for.
func (of *host) get(path string, into *object) error {
	_, err := of.client.Get(of.client.ServiceURL("nodes", of.uuid, path), into, &gophercloud.RequestOpts{OkCodes: []int{200}})
	return err
}

func (of *host) put(path string, body object) error {
	_, err := of.client.Put(of.client.ServiceURL("nodes", of.uuid, path), body, nil, &gophercloud.RequestOpts{OkCodes: []int{202}})
	return err
}
