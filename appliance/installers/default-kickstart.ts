/** What is installed where nobody says how: one system over all disks, from a tree of packages or a live image. Under the same options a
 * template of people's own stands in its place. Switched off at its end, the machine has written everything. */
export const defaultKickstart = `lang en_US.UTF-8
keyboard us
timezone Etc/UTC --utc
text
cmdline
poweroff
rootpw --lock
selinux --enforcing
firewall --enabled --ssh
network --bootproto=dhcp --activate
zerombr
clearpart --all --initlabel
autopart
bootloader --location=mbr
{% if 'liveimg_url' in ks_options %}
liveimg --url={{ ks_options.liveimg_url }}
{% else %}
url --url={{ ks_options.repo_url }}
%packages
@core
%end
{% endif %}

%pre
${heartbeat('start', 'the installation begins')}
%end

%onerror
${heartbeat('error', 'the installer failed; its console says why')}
%end

%post
sync
${heartbeat('end', 'the system is installed')}
%end
`

function heartbeat(status: string, message: string): string {
  const body = `{"callback_url": "", "agent_token": "{{ ks_options.agent_token }}", "agent_status": "${status}", "agent_status_message": "${message}"}`
  return `curl {% if ks_options.insecure_heartbeat %}--insecure {% endif %}--silent --show-error --retry 30 --retry-delay 10 --retry-connrefused \\
  -H 'Content-Type: application/json' -H 'X-OpenStack-Ironic-API-Version: 1.72' \\
  -X POST -d '${body}' {{ ks_options.heartbeat_url }}`
}
