import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import { HttpApi, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { accept } from './accept.ts'
import { type Authentication, authenticationOf } from './authentication.ts'
import { CloudFunction, type Ground } from './cloud-function.ts'

/** Ironic's REST API: one function behind an HTTP API that passes every path and method. */
export class Api extends Construct {
  readonly function: CloudFunction
  readonly gateway: HttpApi
  readonly authentication: Authentication
  readonly endpoint: string

  constructor(scope: Construct, id: string, ground: Ground) {
    super(scope, id)
    this.authentication = authenticationOf(this)

    this.function = new CloudFunction(this, 'Function', {
      ...ground,
      entry: 'api',
      timeout: Duration.seconds(29), // API Gateway answers 503 at 30 s
      memorySize: 1024, // bcrypt is bound by the processor, which comes with memory
      environment: this.authentication.environment,
    })
    for (const secret of this.authentication.secrets) secret.grantRead(this.function)
    ground.images.grantUse(this.function.role, 'GetObject', 'PutObject', 'DeleteObject')
    ground.fleet.grantEnrol(this.function.role)
    // What people type at consoles goes down at once.
    ground.fleet.grantPublish(this.function.role)

    const logs = new LogGroup(this, 'AccessLog', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.gateway = new HttpApi(this, 'Gateway', {
      createDefaultStage: false,
      defaultIntegration: new HttpLambdaIntegration('Integration', this.function),
    })
    accept(this.gateway, {
      'AwsSolutions-APIG4':
        "Ironic's clients send HTTP basic credentials or tokens, which the function checks; some routes are public.",
    })
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.gateway,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: 200, burstLimit: 400 },
      accessLogSettings: {
        destination: new LogGroupLogDestination(logs),
        format: AccessLogFormat.custom(
          JSON.stringify({
            request: '$context.requestId',
            at: '$context.requestTime',
            from: '$context.identity.sourceIp',
            method: '$context.httpMethod',
            path: '$context.path',
            status: '$context.status',
            bytes: '$context.responseLength',
            milliseconds: '$context.responseLatency',
            error: '$context.integrationErrorMessage',
          }),
        ),
      },
    })
    this.endpoint = stage.url
  }
}
