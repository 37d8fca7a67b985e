import { UserError } from '../../contract/api/faults.ts'
import type { Call, Owned } from './context.ts'

/** Who may do what: everybody sees their project's things, members change them, administrators all. */

export function isAdmin(call: Call): boolean {
  return call.var.caller.roles.has('admin')
}

export function requireAdmin(call: Call, what: string): void {
  if (!isAdmin(call)) throw new UserError(403, `Policy doesn't allow ${what} to be performed: it needs the role admin.`)
}

/** Sees all projects' things where a query asks for them. */
export function seesAll(call: Call): boolean {
  const { roles, system } = call.var.caller
  return roles.has('admin') || (system && roles.has('reader'))
}

/** The project that things are made in. */
export function projectOf(call: Call): string {
  const { project } = call.var.caller
  if (!project)
    throw new UserError(403, 'The token is of no project: get one for the project that this is to belong to.')
  return project.id
}

export function requireMember(call: Call, what: string): void {
  if (!call.var.caller.roles.has('member'))
    throw new UserError(403, `Policy doesn't allow ${what} to be performed: it needs the role member.`)
}

export function isTheirs(call: Call, { project_id: project }: Owned): boolean {
  return call.var.caller.project?.id === project
}

/** Of the caller's project, or the caller oversees everything. */
export function mayChange(call: Call, thing: Owned): boolean {
  return isAdmin(call) || (isTheirs(call, thing) && call.var.caller.roles.has('member'))
}
