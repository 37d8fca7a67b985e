import type { Lab } from '../lab/lab.ts'
import { type Desk, folder, shown } from './desk.ts'
import type { Journey } from './journey.ts'
import { timetable } from './times.ts'

/** What one can do now, in lines that can be copied to another terminal in the project's folder. */
export function farewell(lab: Lab, desk: Desk, journeys: readonly Journey[]): string {
  const machine = journeys[0]?.machine.name
  const [first] = journeys.map(({ server }) => server)
  const sections: Array<[string, string[]]> = [
    [
      'Where the time went (seconds)',
      [
        ...timetable(journeys.map(({ server, spent }) => ({ name: server, spent }))),
        '(start agent: firmware, DHCP, TFTP, HTTP, kernel and ramdisk, until it calls)',
      ],
    ],
    ['See that they run', journeys.map(({ proof }) => proof.line)],
    ['Their serial consoles (~. leaves)', journeys.map(({ machine }) => `${desk.bloomery} console ${machine.name}`)],
    [
      'Servers, by OpenStack’s client (it reads ' + desk.clouds + ')',
      [
        `${desk.openstack} server list`,
        `${desk.openstack} console log show ${first}`,
        `${desk.openstack} server reboot ${first} --hard --wait`,
        `${desk.openstack} server rebuild ${first} --wait`,
        `${desk.openstack} server rescue ${first}     # and unrescue`,
        `${desk.openstack} volume show data     # a disk at the site: docs/volumes.md has what for`,
        `${desk.openstack} server delete ${first} --wait`,
      ],
    ],
    [
      'The machines below, which are Ironic’s nodes',
      [
        `${desk.openstack} --os-cloud operator baremetal node list`,
        `${desk.bloomery} node list`,
        `${desk.bloomery} why ${machine}`,
      ],
    ],
    [
      'Logs',
      [shown(lab.cloud.logPath), shown(lab.appliance.logPath), `${shown(folder)}/rack/SERVER/{serial,bmc,qemu}.log`],
    ],
  ]
  return sections.map(([title, lines]) => `\n${title}\n${lines.map((line) => `  ${line}`).join('\n')}`).join('\n')
}
