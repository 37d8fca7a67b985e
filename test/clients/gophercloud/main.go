// Servers by gophercloud, in the order of calls of those who build on it (Terraform's provider, Cluster API's). Tells one story per line that
// it is sent by name, and answers null, or what went wrong.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
)

func check(err error, what string) {
	if err != nil {
		panic(fmt.Sprintf("%s: %v", what, err))
	}
}

func expect(holds bool, what string, seen ...interface{}) {
	if !holds {
		panic(fmt.Sprint(what, ": ", seen))
	}
}

type services struct{ compute, network, image *gophercloud.ServiceClient }

func connect() *services {
	provider, err := openstack.AuthenticatedClient(gophercloud.AuthOptions{
		IdentityEndpoint: os.Getenv("OS_AUTH_URL"),
		Username:         os.Getenv("OS_USERNAME"),
		Password:         os.Getenv("OS_PASSWORD"),
		TenantName:       os.Getenv("OS_PROJECT_NAME"),
		DomainName:       os.Getenv("OS_USER_DOMAIN_NAME"),
		AllowReauth:      true,
	})
	check(err, "keystone")
	provider.HTTPClient.Timeout = 30 * time.Second
	region := gophercloud.EndpointOpts{Region: os.Getenv("OS_REGION_NAME")}
	compute, err := openstack.NewComputeV2(provider, region)
	check(err, "compute")
	network, err := openstack.NewNetworkV2(provider, region)
	check(err, "network")
	image, err := openstack.NewImageServiceV2(provider, region)
	check(err, "image")
	return &services{compute, network, image}
}

func tell(story func()) (answer interface{}) {
	defer func() {
		if cause := recover(); cause != nil {
			answer = fmt.Sprint(cause)
		}
	}()
	if story == nil {
		return "no such story"
	}
	story()
	return nil
}

func main() {
	told := stories(connect())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var name string
		check(json.Unmarshal(lines.Bytes(), &name), "line")
		answer, _ := json.Marshal(tell(told[name]))
		fmt.Println(string(answer))
	}
}
