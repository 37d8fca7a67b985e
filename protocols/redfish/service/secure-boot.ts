import { booleanAt, type JsonObject, textAt } from '../json.ts'
import { certificateRoutes, certificatesAt } from './certificate-store.ts'
import { Refusal } from './machine.ts'
import { collection, done, ref, type Route } from './route.ts'
import { nextId, type State, systemPath } from './state.ts'

const resets = ['ResetAllKeysToDefault', 'DeleteAllKeys']
const databases = ['PK', 'KEK', 'db', 'dbx']
/** UEFI 2.10 §32.3: with a platform key the firmware is in user mode. */
const PLATFORM = 'PK'

export function secureBootRoutes(state: State): Route[] {
  const path = `${systemPath(state)}/SecureBoot`
  const { secureBoot } = state
  const action = (of: string, types: readonly string[]): JsonObject => ({
    target: `${of}/Actions/${of === path ? 'SecureBoot' : 'SecureBootDatabase'}.ResetKeys`,
    'ResetKeysType@Redfish.AllowableValues': types,
  })
  const mode = (): string =>
    secureBoot.factoryKeys || certificatesAt(state, `${path}/SecureBootDatabases/${PLATFORM}/Certificates`).length > 0
      ? 'UserMode'
      : 'SetupMode'
  return [
    {
      path,
      get: () => ({
        '@odata.type': '#SecureBoot.v1_1_0.SecureBoot',
        Id: 'SecureBoot',
        Name: 'UEFI Secure Boot',
        Description: 'UEFI Secure Boot',
        SecureBootEnable: secureBoot.enabled,
        SecureBootCurrentBoot: secureBoot.current ? 'Enabled' : 'Disabled',
        SecureBootMode: mode(),
        SecureBootDatabases: ref(`${path}/SecureBootDatabases`),
        Actions: { '#SecureBoot.ResetKeys': action(path, [...resets, 'DeletePK']) },
      }),
      patch: ({ body }) => {
        const enabled = booleanAt(body, 'SecureBootEnable')
        if (enabled === undefined) throw new Refusal(400, 'PropertyMissing', ['SecureBootEnable'])
        secureBoot.enabled = enabled
      },
    },
    {
      path: `${path}/Actions/SecureBoot.ResetKeys`,
      post: ({ body }) => {
        const type = resetType(body, [...resets, 'DeletePK'])
        for (const name of type === 'DeletePK' ? [PLATFORM] : databases)
          empty(state, `${path}/SecureBootDatabases/${name}`)
        secureBoot.factoryKeys = type === 'ResetAllKeysToDefault'
        return done
      },
    },
    {
      path: `${path}/SecureBootDatabases`,
      get: () =>
        collection(
          'SecureBootDatabaseCollection',
          'Databases',
          databases.map((name) => `${path}/SecureBootDatabases/${name}`),
        ),
    },
    ...databases.flatMap((name) => databaseRoutes(state, `${path}/SecureBootDatabases/${name}`, name, action)),
  ]
}

function databaseRoutes(
  state: State,
  path: string,
  name: string,
  action: (of: string, types: readonly string[]) => JsonObject,
): Route[] {
  return [
    {
      path,
      get: () => ({
        '@odata.type': '#SecureBootDatabase.v1_0_1.SecureBootDatabase',
        Id: name,
        Name: name,
        Description: `UEFI variable ${name}`,
        DatabaseId: name,
        Certificates: ref(`${path}/Certificates`),
        Signatures: ref(`${path}/Signatures`),
        Actions: { '#SecureBootDatabase.ResetKeys': action(path, resets) },
      }),
    },
    {
      path: `${path}/Actions/SecureBootDatabase.ResetKeys`,
      post: ({ body }) => {
        const type = resetType(body, resets)
        empty(state, path)
        if (name === PLATFORM) state.secureBoot.factoryKeys = type === 'ResetAllKeysToDefault'
        return done
      },
    },
    ...certificateRoutes(state, `${path}/Certificates`),
    ...signatureRoutes(state, `${path}/Signatures`),
  ]
}

function signatureRoutes(state: State, path: string): Route[] {
  const held = signaturesAt(state, path)
  return [
    {
      path,
      get: () =>
        collection(
          'SignatureCollection',
          'Signatures',
          held.map(({ id }) => `${path}/${id}`),
        ),
      post: ({ body }) => {
        const text = textAt(body, 'SignatureString') ?? ''
        if (!/^[0-9a-f]{64}$/i.test(text)) throw new Refusal(400, 'PropertyValueFormatError', ['SignatureString'])
        const id = nextId(state)
        held.push({ id, text })
        return { status: 201, headers: { location: `${path}/${id}` } }
      },
    },
    {
      path: `${path}/:id`,
      get: ({ at }) => {
        const found = held.find(({ id }) => id === at['id'])
        if (!found) throw new Refusal(404, 'ResourceMissingAtURI', [at['id'] ?? ''])
        return {
          '@odata.type': '#Signature.v1_0_2.Signature',
          Id: found.id,
          Name: 'Signature',
          SignatureString: found.text,
          SignatureType: 'EFI_CERT_SHA256_GUID',
          SignatureTypeRegistry: 'UEFI',
        }
      },
    },
  ]
}

function signaturesAt(state: State, path: string): { id: string; text: string }[] {
  const held = state.signatures.get(path) ?? []
  state.signatures.set(path, held)
  return held
}

function empty(state: State, database: string): void {
  certificatesAt(state, `${database}/Certificates`).length = 0
  signaturesAt(state, `${database}/Signatures`).length = 0
}

function resetType(body: JsonObject, allowed: readonly string[]): string {
  const type = textAt(body, 'ResetKeysType') ?? ''
  if (!allowed.includes(type)) throw new Refusal(400, 'ActionParameterValueNotInList', [type, 'ResetKeysType'])
  return type
}
