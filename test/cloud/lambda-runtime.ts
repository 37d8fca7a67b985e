import { pathToFileURL } from 'node:url'

/** Lambda's runtime for one bundle, in a process of its own whose environment is the function's. */

interface Invocation {
  id: number
  event: unknown
}
type Handler = (event: unknown, context: unknown) => Promise<unknown>

const [bundle = ''] = process.argv.slice(2)
const { handler } = (await import(pathToFileURL(bundle).href)) as { handler: Handler }

process.on('message', ({ id, event }: Invocation) => {
  const context = { awsRequestId: String(id), functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'] }
  handler(event, context).then(
    (result) => process.send?.({ id, result }),
    (error: unknown) => process.send?.({ id, error: error instanceof Error ? error.stack : String(error) }),
  )
})
process.on('disconnect', () => process.exit())
process.send?.({ ready: true })
