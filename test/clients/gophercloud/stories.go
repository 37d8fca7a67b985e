package main

import (
	"fmt"
	"time"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/attachinterfaces"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/availabilityzones"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/instanceactions"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/keypairs"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/startstop"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/tags"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/images"
	"github.com/gophercloud/gophercloud/openstack/networking/v2/networks"
	"github.com/gophercloud/gophercloud/openstack/networking/v2/ports"
	"github.com/gophercloud/gophercloud/openstack/networking/v2/subnets"
)

const patience = 180

func stories(in *services) map[string]func() {
	var flavor *flavors.Flavor
	var network *networks.Network
	var port *ports.Port
	var server *servers.Server

	refresh := func() {
		found, err := servers.Get(in.compute, server.ID).Extract()
		check(err, "get server")
		server = found
	}
	reaches := func(status string) {
		check(servers.WaitForStatus(in.compute, server.ID, status, patience), status)
		refresh()
	}

	return map[string]func(){
		"makes what a server needs": func() {
			disk := 1
			made, err := flavors.Create(in.compute, flavors.CreateOpts{Name: "metal", RAM: 1024, VCPUs: 1, Disk: &disk}).Extract()
			check(err, "flavor")
			flavor = made
			_, err = flavors.CreateExtraSpecs(in.compute, flavor.ID, flavors.ExtraSpecsOpts{"resources:CUSTOM_BAREMETAL": "1"}).Extract()
			check(err, "extra specs")
			pair, err := keypairs.Create(in.compute, keypairs.CreateOpts{Name: "mine"}).Extract()
			check(err, "key pair")
			expect(pair.PrivateKey != "", "private key", pair.Name)
			up := true
			network, err = networks.Create(in.network, networks.CreateOpts{Name: "rack", AdminStateUp: &up}).Extract()
			check(err, "network")
			_, err = subnets.Create(in.network, subnets.CreateOpts{NetworkID: network.ID, IPVersion: 4, CIDR: "10.20.0.0/24"}).Extract()
			check(err, "subnet")
			port, err = ports.Create(in.network, ports.CreateOpts{NetworkID: network.ID, Name: "mine"}).Extract()
			check(err, "port")
			expect(len(port.FixedIPs) == 1, "address", port)
		},
		"makes a server on a port": func() {
			pages, err := images.List(in.image, images.ListOpts{Name: "debian"}).AllPages()
			check(err, "images")
			found, err := images.ExtractImages(pages)
			check(err, "images")
			expect(len(found) == 1, "image", found)
			zones, err := availabilityzones.List(in.compute).AllPages()
			check(err, "zones")
			known, err := availabilityzones.ExtractAvailabilityZones(zones)
			check(err, "zones")
			expect(len(known) == 1, "zone", known)
			options := keypairs.CreateOptsExt{
				CreateOptsBuilder: servers.CreateOpts{
					Name: "web", FlavorRef: flavor.ID, ImageRef: found[0].ID,
					AvailabilityZone: known[0].ZoneName,
					Networks:         []servers.Network{{Port: port.ID}},
					Metadata:         map[string]string{"role": "web"},
					UserData:         []byte("#!/bin/sh\n"),
				},
				KeyName: "mine",
			}
			server, err = servers.Create(in.compute, options).Extract()
			check(err, "server")
			reaches("ACTIVE")
			expect(server.Metadata["role"] == "web", "metadata", server.Metadata)
			expect(len(server.Addresses) == 1, "addresses", server.Addresses)
		},
		"sees its actions tags and interfaces": func() {
			pages, err := instanceactions.List(in.compute, server.ID, nil).AllPages()
			check(err, "actions")
			actions, err := instanceactions.ExtractInstanceActions(pages)
			check(err, "actions")
			expect(len(actions) == 1 && actions[0].Action == "create", "actions", actions)
			in.compute.Microversion = "2.26"
			check(tags.Add(in.compute, server.ID, "blue").ExtractErr(), "tag")
			seen, err := tags.List(in.compute, server.ID).Extract()
			check(err, "tags")
			expect(len(seen) == 1 && seen[0] == "blue", "tags", seen)
			in.compute.Microversion = ""
			attached, err := attachinterfaces.List(in.compute, server.ID).AllPages()
			check(err, "interfaces")
			interfaces, err := attachinterfaces.ExtractInterfaces(attached)
			check(err, "interfaces")
			expect(len(interfaces) == 1 && interfaces[0].PortID == port.ID, "interfaces", interfaces)
		},
		"stops starts and reboots it": func() {
			check(startstop.Stop(in.compute, server.ID).ExtractErr(), "stop")
			reaches("SHUTOFF")
			check(startstop.Start(in.compute, server.ID).ExtractErr(), "start")
			reaches("ACTIVE")
			check(servers.Reboot(in.compute, server.ID, servers.RebootOpts{Type: servers.HardReboot}).ExtractErr(), "reboot")
			reaches("ACTIVE")
		},
		"is told why there is no resizing": func() {
			err := servers.Resize(in.compute, server.ID, servers.ResizeOpts{FlavorRef: flavor.ID}).ExtractErr()
			_, refused := err.(gophercloud.ErrDefault400)
			expect(refused, "resize", err)
		},
		"deletes it and keeps the port": func() {
			check(servers.Delete(in.compute, server.ID).ExtractErr(), "delete")
			until := time.Now().Add(patience * time.Second)
			for {
				_, err := servers.Get(in.compute, server.ID).Extract()
				if _, gone := err.(gophercloud.ErrDefault404); gone {
					break
				}
				expect(time.Now().Before(until), "still there", fmt.Sprint(err))
				time.Sleep(200 * time.Millisecond)
			}
			kept, err := ports.Get(in.network, port.ID).Extract()
			check(err, "port")
			expect(kept.DeviceID == "", "owner", kept.DeviceID)
			check(ports.Delete(in.network, port.ID).ExtractErr(), "delete port")
			check(networks.Delete(in.network, network.ID).ExtractErr(), "delete network")
		},
	}
}
