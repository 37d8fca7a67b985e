import type { Lab } from '../lab/lab.ts'
import { type Desk, folder, shown } from './desk.ts'
import type { Journey } from './journey.ts'
import { timetable } from './times.ts'

/** What one can do now, in lines that can be copied to another terminal in the project's folder. */
export function farewell(lab: Lab, desk: Desk, journeys: readonly Journey[]): string {
  const endpoint = lab.environment.BLOOMERY_ENDPOINT
  const first = journeys[0]!.server.name
  const sections: Array<[string, string[]]> = [
    [
      'Where the time went (seconds)',
      [
        ...timetable(journeys.map(({ server, spent }) => ({ name: server.name, spent }))),
        '(start agent: firmware, DHCP, TFTP, HTTP, kernel and ramdisk, until it calls)',
      ],
    ],
    ['See that they run', journeys.map(({ proof }) => proof.line)],
    ['Their serial consoles (~. leaves)', journeys.map(({ server }) => `${desk.bloomery} console ${server.name}`)],
    [
      'The command line',
      [
        `${desk.bloomery} node list`,
        `${desk.bloomery} node show ${first}`,
        `${desk.bloomery} undeploy ${first} --wait`,
      ],
    ],
    [
      'The API, which is Ironic’s',
      [
        `curl --cacert ${desk.authorities} --netrc-file ${desk.netrc} ${endpoint}/v1/nodes`,
        `OS_CLIENT_CONFIG_FILE=${desk.clouds} OS_CLOUD=demo openstack baremetal node list`,
      ],
    ],
    [
      'Logs',
      [shown(lab.cloud.logPath), shown(lab.appliance.logPath), `${shown(folder)}/rack/SERVER/{serial,bmc,qemu}.log`],
    ],
  ]
  return sections.map(([title, lines]) => `\n${title}\n${lines.map((line) => `  ${line}`).join('\n')}`).join('\n')
}
