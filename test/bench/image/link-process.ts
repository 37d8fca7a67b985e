import { openLink } from './link.ts'

/** The line in a process of its own, as a switch is a machine of its own. Arguments: port, bytes a second. */
const [port, rate] = process.argv.slice(2).map(Number)
const link = await openLink(port!, rate!)
process.send?.(link.port)
