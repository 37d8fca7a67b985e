import { booleanAt, objectAt, textsAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { ref, type Route } from './route.ts'
import { httpsCertificatesPath, managerPath, type State } from './state.ts'

/** DSP2046 ManagerNetworkProtocol. */
export function networkProtocolRoutes(state: State): Route[] {
  return [
    {
      path: `${managerPath(state)}/NetworkProtocol`,
      get: () => ({
        '@odata.type': '#ManagerNetworkProtocol.v1_9_0.ManagerNetworkProtocol',
        Id: 'NetworkProtocol',
        Name: 'Network protocols',
        HTTPS: { ProtocolEnabled: true, Port: 443, Certificates: ref(httpsCertificatesPath(state)) },
        SSH: { ProtocolEnabled: true, Port: state.consoles.ssh },
        IPMI: { ProtocolEnabled: true, Port: state.consoles.ipmi },
        NTP: { ProtocolEnabled: state.ntp.enabled, NTPServers: state.ntp.servers },
      }),
      patch: ({ body }) => {
        const wanted = objectAt(body, 'NTP')
        if (!wanted) throw new Refusal(400, 'PropertyUnknown', [Object.keys(body).join(' ')])
        state.ntp.enabled = booleanAt(wanted, 'ProtocolEnabled') ?? state.ntp.enabled
        if ('NTPServers' in wanted) state.ntp.servers = textsAt(wanted, 'NTPServers')
      },
    },
  ]
}
