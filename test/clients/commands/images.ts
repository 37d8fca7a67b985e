import { refuses, type Story, works } from './story.ts'

/** Images of two files of the machine that the test runs on, which are whatever they are. */
export const images: Story = {
  section: 'Images',
  lines: [
    works('image create plain --disk-format raw --container-format bare --file /etc/passwd --tag old'),
    works('image create empty --disk-format qcow2 --min-disk 4 --property os_distro=debian'),
    refuses('image create wrong --disk-format qcow2 --container-format bare --file /etc/passwd', /begin as qcow2/),
    refuses('image create other --disk-format vmdk --container-format bare --file /etc/passwd', /bloomery image push/),
    works('image list --status active', { says: /plain/ }),
    works('image list --property os_distro=debian --long', { says: /empty/ }),
    works('image set plain --name better --property os_version=12 --protected'),
    refuses('image delete better', /protected/),
    works('image unset better --tag old --property os_version'),
    works('image show better', { says: /active/ }),
    works('image set better --unprotected --community'),
    works('image list --community', { says: /better/ }),
    works('image set better --shared'),
    works('project create partners', { system: true, keep: { project: 'id' } }),
    works('image add project better {project}', { says: /pending/ }),
    works('image member list better', { says: /pending/ }),
    works('image remove project better {project}'),
    works('image save better --file /dev/null'),
    works('image set better --deactivate'),
    works('image set better --activate'),
    works('image delete better empty'),
    works('image show debian', { says: /active/ }),
  ],
}
