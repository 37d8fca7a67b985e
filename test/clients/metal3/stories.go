package main

import (
	"strings"

	"github.com/gophercloud/gophercloud/openstack/baremetal/apiversions"
	"github.com/gophercloud/gophercloud/openstack/baremetal/v1/drivers"
	"github.com/gophercloud/gophercloud/openstack/baremetal/v1/nodes"
	"github.com/gophercloud/gophercloud/openstack/baremetal/v1/ports"
)

func stories(of *host) map[string]func() {
	return map[string]func(){
		"finds drivers and the newest version": of.isReady,
		"registers a host":                     of.registers,
		"verifies and inspects it":             of.inspects,
		"prepares it by manual cleaning":       of.prepares,
		"provisions it":                        of.provisions,
		"services it":                          of.services,
		"switches its power":                   of.switchesPower,
		"deprovisions it":                      of.deprovisions,
		"gives up a deploy":                    of.abortsDeploy,
		"adopts it anew":                       of.adopts,
		"detaches and deletes it":              of.deletes,
	}
}

func (of *host) isReady() {
	pages, err := drivers.ListDrivers(of.client, drivers.ListDriversOpts{}).AllPages()
	check(err, "drivers")
	found, err := drivers.ExtractDrivers(pages)
	check(err, "drivers")
	expect(len(found) > 0, "drivers", found)
	root := *of.client
	root.Endpoint = strings.TrimSuffix(root.Endpoint, "v1/")
	versions, err := apiversions.List(&root).Extract()
	check(err, "versions")
	expect(versions.DefaultVersion.Version == "1.115", "newest version", versions.DefaultVersion)
	version, err := apiversions.Get(&root, "v1").Extract()
	check(err, "version 1")
	expect(*version == versions.DefaultVersion, "version 1", *version)
}

func (of *host) registers() {
	_, err := nodes.Get(of.client, of.name).Extract()
	expect(refusedWith(err, 404), "a node that isn't there yet", err)
	expect(len(of.portsAt(of.mac)) == 0, "ports with the host's address")
	node, err := nodes.Create(of.client, nodes.CreateOpts{
		Driver:           "fake-hardware",
		BootInterface:    "fake",
		DeployInterface:  "fake",
		InspectInterface: "fake",
		Name:             of.name,
		DriverInfo:       object{"deploy_kernel": "http://images.test/k", "deploy_ramdisk": "http://images.test/r"},
		Properties:       object{"capabilities": "boot_mode:uefi"},
	}).Extract()
	check(err, "create")
	expect(node.ProvisionState == "enroll", "state", node.ProvisionState)
	of.uuid = node.UUID
	_, err = nodes.Create(of.client, nodes.CreateOpts{Driver: "fake-hardware", Name: of.name}).Extract()
	expect(refusedWith(err, 409), "a second node of the name", err)
	enabled := true
	_, err = ports.Create(of.client, ports.CreateOpts{NodeUUID: of.uuid, Address: of.mac, PXEEnabled: &enabled}).Extract()
	check(err, "port")
	_, err = ports.Create(of.client, ports.CreateOpts{NodeUUID: of.uuid, Address: of.mac, PXEEnabled: &enabled}).Extract()
	expect(refusedWith(err, 409), "a second port of the address", err)
	found := of.portsAt(of.mac)
	expect(len(found) == 1 && found[0].NodeUUID == of.uuid, "ports with the host's address", found)
	// Every reconciliation finds it again by its name, and writes what differs.
	node, err = nodes.Get(of.client, of.name).Extract()
	check(err, "get by name")
	of.update(add("/instance_uuid", "00000000-0000-4000-8000-0000000000b0"), add("/automated_clean", false), add("/properties/cpu_arch", "x86_64"))
	of.update(nodes.UpdateOperation{Op: nodes.RemoveOp, Path: "/instance_uuid"})
}

func (of *host) inspects() {
	of.raise(nodes.ProvisionStateOpts{Target: nodes.TargetManage}, "manageable")
	validation, err := nodes.Validate(of.client, of.uuid).Extract()
	check(err, "validate")
	expect(validation.Power.Result && validation.Management.Result, "validation", validation)
	of.raise(nodes.ProvisionStateOpts{Target: nodes.TargetInspect}, "manageable")
	err = of.get("inventory", new(object))
	expect(err == nil || refusedWith(err, 404), "inventory", err)
	check(of.get("bios?detail=True", new(object)), "BIOS settings")
	check(of.get("firmware", new(object)), "firmware")
}

func (of *host) prepares() {
	size, root := 100, true
	disks := []nodes.LogicalDisk{{SizeGB: &size, RAIDLevel: nodes.RAID1, IsRootVolume: &root}}
	check(nodes.SetRAIDConfig(of.client, of.uuid, nodes.RAIDConfigOpts{LogicalDisks: disks}).ExtractErr(), "RAID")
	settings := []object{{"name": "hyperthreading", "value": "on"}}
	of.raise(nodes.ProvisionStateOpts{Target: nodes.TargetClean, CleanSteps: []nodes.CleanStep{
		{Interface: "raid", Step: "delete_configuration"},
		{Interface: "raid", Step: "create_configuration"},
		{Interface: "bios", Step: "factory_reset"},
		{Interface: "bios", Step: "apply_configuration", Args: object{"settings": settings}},
	}}, "manageable")
	unknown := []nodes.CleanStep{{Interface: "raid", Step: "none_such"}}
	err := of.ask(nodes.ProvisionStateOpts{Target: nodes.TargetClean, CleanSteps: unknown})
	expect(refusedWith(err, 400), "a step that nobody has", err)
	expect(of.now().ProvisionState == "manageable", "state", of.now().ProvisionState)
}

func (of *host) provisions() {
	of.raise(nodes.ProvisionStateOpts{Target: nodes.TargetProvide}, "available")
	of.update(
		add("/instance_uuid", "00000000-0000-4000-8000-0000000000b1"),
		add("/instance_info/image_source", "http://images.test/i.qcow2"),
		add("/instance_info/image_os_hash_algo", "sha256"),
		add("/instance_info/image_os_hash_value", "0000000000000000000000000000000000000000000000000000000000000000"),
		add("/instance_info/image_checksum", "00000000000000000000000000000000"),
		add("/instance_info/image_disk_format", "qcow2"),
		add("/instance_info/capabilities", object{"boot_mode": "uefi"}),
		add("/properties/root_device", object{"name": "s== /dev/sda"}),
	)
	validation, err := nodes.Validate(of.client, of.uuid).Extract()
	check(err, "validate")
	expect(validation.Deploy.Result && validation.Boot.Result, "validation", validation)
	drive := nodes.ConfigDrive{
		MetaData:    object{"local-hostname": "host-0", "metal3-name": "host-0"},
		NetworkData: object{"links": []object{}, "networks": []object{}, "services": []object{}},
		UserData:    "#cloud-config",
	}
	of.raise(nodes.ProvisionStateOpts{Target: nodes.TargetActive, ConfigDrive: drive}, "active")
	node := of.now()
	expect(node.PowerState == "power on", "power", node.PowerState)
	expect(node.InstanceInfo["image_source"] == "http://images.test/i.qcow2", "instance_info", node.InstanceInfo)
	_, err = nodes.Update(of.client, of.uuid, nodes.UpdateOpts{add("/instance_uuid", "00000000-0000-4000-8000-0000000000b2")}).Extract()
	expect(refusedWith(err, 409), "another instance on it", err)
}

// services: from 1.87 on, which this gophercloud has no types for.
func (of *host) services() {
	steps := []object{{"interface": "bios", "step": "factory_reset"}}
	check(of.put("states/provision", object{"target": "service", "service_steps": steps}), "service")
	of.awaits("active")
	hold := []object{{"interface": "deploy", "step": "hold"}}
	check(of.put("states/provision", object{"target": "service", "service_steps": hold}), "service")
	of.awaits("service hold")
	check(of.put("states/provision", object{"target": "abort"}), "abort")
	of.awaits("service failed")
	check(of.put("states/provision", object{"target": "abort"}), "abort of what failed")
	of.awaits("active")
}

func (of *host) switchesPower() {
	of.power(nodes.PowerStateOpts{Target: nodes.SoftPowerOff, Timeout: 60}, "power off")
	of.power(nodes.PowerStateOpts{Target: nodes.PowerOn}, "power on")
	of.power(nodes.PowerStateOpts{Target: nodes.Rebooting}, "power on")
	of.power(nodes.PowerStateOpts{Target: nodes.PowerOff}, "power off")
}

func (of *host) deprovisions() {
	of.raise(nodes.ProvisionStateOpts{Target: nodes.TargetDeleted}, "available")
	node := of.now()
	expect(node.InstanceUUID == "" && len(node.InstanceInfo) == 0, "instance", node.InstanceUUID, node.InstanceInfo)
	expect(node.PowerState == "power off", "power", node.PowerState)
}

// abortsDeploy: from 1.110 on, which BMO asks for where the service has it.
func (of *host) abortsDeploy() {
	hold := []object{{"interface": "deploy", "step": "hold", "args": object{}, "priority": 150}}
	check(of.put("states/provision", object{"target": "active", "deploy_steps": hold}), "deploy")
	of.awaits("deploy hold")
	of.client.Microversion = "1.110"
	check(of.put("states/provision", object{"target": "abort"}), "abort")
	of.client.Microversion = baseline
	of.awaits("deploy failed")
	expect(of.now().LastError != "", "last error")
	of.raise(nodes.ProvisionStateOpts{Target: nodes.TargetDeleted}, "available")
}

func (of *host) adopts() {
	of.raise(nodes.ProvisionStateOpts{Target: nodes.TargetManage}, "manageable")
	of.update(add("/instance_info/image_source", "http://images.test/i.qcow2"))
	of.raise(nodes.ProvisionStateOpts{Target: nodes.TargetAdopt}, "active")
}

func (of *host) deletes() {
	expect(refusedWith(nodes.Delete(of.client, of.uuid).ExtractErr(), 409), "an active node is deleted")
	of.update(nodes.UpdateOperation{Op: nodes.ReplaceOp, Path: "/maintenance", Value: true})
	check(nodes.Delete(of.client, of.uuid).ExtractErr(), "delete")
	_, err := nodes.Get(of.client, of.uuid).Extract()
	expect(refusedWith(err, 404), "a node that was deleted", err)
	expect(len(of.portsAt(of.mac)) == 0, "its ports")
}
