// Exits 0 when node_modules is what package-lock.json says. It runs on whatever Node npm has, hence plain JavaScript.
import { readFileSync } from 'node:fs'

/** Which packages of the lock file are not installed in the version it names. Optional ones depend on the platform. */
function outdated(lock, installed) {
  return Object.entries(lock.packages).filter(([path, wanted]) => {
    if (path === '' || wanted.optional || wanted.devOptional || wanted.peer) return false
    const found = installed.packages[path]
    return !found || found.version !== wanted.version || found.integrity !== wanted.integrity
  })
}

const read = (path) => JSON.parse(readFileSync(path, 'utf8'))
try {
  // npm keeps the second file itself: the tree that it last installed.
  const [first] = outdated(read('package-lock.json'), read('node_modules/.package-lock.json'))
  if (first) {
    process.stdout.write(`setup: ${first[0]} is not as in package-lock.json\n`)
    process.exitCode = 1
  }
} catch (error) {
  process.stdout.write(`setup: ${error.message}\n`)
  process.exitCode = 1
}
