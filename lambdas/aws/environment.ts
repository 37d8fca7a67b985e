type Variables = Record<string, string | undefined>

export interface Environment {
  TABLE: string
  BLOBS: string
  APPLIANCE_POLICY: string
  /** The queue of the courier function, for those that wake it. */
  COURIERS: string | undefined
  /** JSON; contract/conductor-options.ts. */
  CONDUCTOR_OPTIONS: string | undefined
}

/** What cdk/ tells every function. */
export function environmentOf(variables: Variables): Environment {
  return {
    TABLE: requiredOf(variables, 'TABLE'),
    BLOBS: requiredOf(variables, 'BLOBS'),
    APPLIANCE_POLICY: requiredOf(variables, 'APPLIANCE_POLICY'),
    COURIERS: variables['COURIERS'],
    CONDUCTOR_OPTIONS: variables['CONDUCTOR_OPTIONS'],
  }
}

export function requiredOf(variables: Variables, name: string): string {
  const value = variables[name]
  if (!value) throw new Error(`the environment lacks ${name}: cdk/ sets it for every function that reads it`)
  return value
}
