// Metal3's order of calls (baremetal-operator's ironic provisioner), by gophercloud. Tells one story per line that it is sent by name,
// and answers null, or what went wrong.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/baremetal/httpbasic"
	"github.com/gophercloud/gophercloud/openstack/baremetal/noauth"
)

const baseline = "1.89"

type object = map[string]interface{}

// fail is recovered where stories are told: a story is a sequence, and ends with the first call that isn't answered as it should be.
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

// refusedWith says whether an answer had this status; gophercloud has a type for each.
func refusedWith(err error, status int) bool {
	switch answer := err.(type) {
	case gophercloud.ErrDefault400:
		return status == 400
	case gophercloud.ErrDefault403:
		return status == 403
	case gophercloud.ErrDefault404:
		return status == 404
	case gophercloud.ErrDefault409:
		return status == 409
	case gophercloud.ErrUnexpectedResponseCode:
		return status == answer.Actual
	}
	return false
}

func connect() *gophercloud.ServiceClient {
	// BMO is told the address with its version.
	endpoint := os.Getenv("OS_ENDPOINT") + "/v1/"
	switch os.Getenv("OS_AUTH_TYPE") {
	case "none":
		client, err := noauth.NewBareMetalNoAuth(noauth.EndpointOpts{IronicEndpoint: endpoint})
		check(err, "noauth")
		return client
	case "http_basic":
		client, err := httpbasic.NewBareMetalHTTPBasic(httpbasic.EndpointOpts{
			IronicEndpoint: endpoint, IronicUser: os.Getenv("OS_USERNAME"), IronicUserPassword: os.Getenv("OS_PASSWORD"),
		})
		check(err, "http_basic")
		return client
	}
	provider, err := openstack.AuthenticatedClient(gophercloud.AuthOptions{
		IdentityEndpoint: os.Getenv("OS_AUTH_URL"),
		Username:         os.Getenv("OS_USERNAME"),
		Password:         os.Getenv("OS_PASSWORD"),
		DomainName:       os.Getenv("OS_USER_DOMAIN_NAME"),
		AllowReauth:      true,
		Scope:            &gophercloud.AuthScope{System: true},
	})
	check(err, "keystone")
	client, err := openstack.NewBareMetalV1(provider, gophercloud.EndpointOpts{Region: os.Getenv("OS_REGION_NAME")})
	check(err, "catalogue")
	return client
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
	client := connect()
	client.HTTPClient.Timeout = 30 * time.Second
	client.Microversion = baseline
	told := stories(&host{client: client, name: "metal3~host-0", mac: "52:54:00:00:03:01"})
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var name string
		check(json.Unmarshal(lines.Bytes(), &name), "line")
		answer, _ := json.Marshal(tell(told[name]))
		fmt.Println(string(answer))
	}
}
