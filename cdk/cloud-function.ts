import { join } from 'node:path'
import { type Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda'
import { LogLevel, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { parseConductorOptions } from '../contract/conductor-options.ts'
import type { Fleet } from './fleet.ts'
import type { Images } from './images.ts'
import type { Store } from './store.ts'

const ROOT = join(import.meta.dirname, '..')

/** What all functions stand on. */
export interface Ground {
  store: Store
  images: Images
  fleet: Fleet
}

export interface CloudFunctionProps extends Ground {
  /** File of lambdas/aws/entries, without `.ts`. */
  entry: string
  timeout: Duration
  memorySize: number
  environment?: Record<string, string>
}

/** By the context value `conductor`, an object: in cdk.json, or `cdk deploy -c conductor='{"max_concurrent_deploy": 250}'`. */
function conductorEnvironment(scope: Construct): Record<string, string> {
  const asked: unknown = scope.node.tryGetContext('conductor')
  if (asked === undefined) return {}
  const text = typeof asked === 'string' ? asked : JSON.stringify(asked)
  parseConductorOptions(text) // what is wrong is said before anything is deployed
  return { CONDUCTOR_OPTIONS: text }
}

/** One function of the cloud: its bundle, its log group, a role that may write there, and use of the table. */
export class CloudFunction extends NodejsFunction {
  override readonly role: Role

  constructor(scope: Construct, id: string, props: CloudFunctionProps) {
    const logGroup = new LogGroup(scope, 'Log', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(scope, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    logGroup.grantWrite(role)
    props.store.grantUse(role)
    super(scope, id, {
      entry: join(ROOT, 'lambdas/aws/entries', `${props.entry}.ts`),
      handler: 'handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: props.timeout,
      memorySize: props.memorySize,
      role,
      logGroup,
      environment: {
        TABLE: props.store.table.tableName,
        BLOBS: props.images.bucket.bucketName,
        APPLIANCE_POLICY: props.fleet.policy.ref,
        POWERTOOLS_SERVICE_NAME: props.entry,
        NODE_OPTIONS: '--enable-source-maps',
        ...conductorEnvironment(scope),
        ...props.environment,
      },
      projectRoot: ROOT,
      depsLockFilePath: join(ROOT, 'package-lock.json'),
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        mainFields: ['module', 'main'],
        // The pinned SDK, not the one that the runtime happens to have this month.
        bundleAwsSDK: true,
        minify: true,
        keepNames: true, // errors are told apart by name
        sourceMap: true,
        logLevel: LogLevel.WARNING,
        sourcesContent: false,
        // Dependencies that are CommonJS call require, which an ES module lacks.
        banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
      },
    })
    this.role = role
  }
}
