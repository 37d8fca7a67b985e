import { Stack } from 'aws-cdk-lib'
import { Grant, type Role } from 'aws-cdk-lib/aws-iam'
import { CfnPolicy } from 'aws-cdk-lib/aws-iot'
import { Construct } from 'constructs'
import { accept } from './accept.ts'
import { topics } from '../contract/topics.ts'

const THING = '${iot:Connection.Thing.ThingName}'

/** Appliances as IoT things. One policy serves all: what each may do follows from its thing's name. */
export class Fleet extends Construct {
  readonly policy: CfnPolicy

  constructor(scope: Construct, id: string) {
    super(scope, id)
    this.policy = new CfnPolicy(this, 'AppliancePolicy', {
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'iot:Connect',
            Resource: this.#arn('client', THING),
            Condition: { Bool: { 'iot:Connection.Thing.IsAttached': 'true' } },
          },
          { Effect: 'Allow', Action: 'iot:Publish', Resource: this.#arn('topic', topics.up(THING)) },
          { Effect: 'Allow', Action: 'iot:Subscribe', Resource: this.#arn('topicfilter', topics.down(THING)) },
          { Effect: 'Allow', Action: 'iot:Receive', Resource: this.#arn('topic', topics.down(THING)) },
        ],
      },
    })
  }

  grantPublish(grantee: Role): void {
    this.#grant(grantee, ['Publish'], [this.#arn('topic', topics.down('*'))])
    accept(grantee, { [wildcard(`topic/${topics.down('*')}`)]: 'Appliances enrol at run time, each with a topic.' })
  }

  /** Enrolling and dismissing appliances, renewing their certificates: what lambdas/aws/identity.ts calls. */
  grantEnrol(grantee: Role): void {
    const things = this.#arn('thing', '*')
    const certificates = this.#arn('cert', '*')
    this.#grant(grantee, ['CreateCertificateFromCsr', 'DescribeEndpoint'], ['*'])
    this.#grant(grantee, ['AttachThingPrincipal', 'DetachThingPrincipal'], ['*'])
    this.#grant(grantee, ['CreateThing', 'ListThingPrincipals'], [things])
    this.#grant(grantee, ['UpdateCertificate'], [certificates])
    this.#grant(grantee, ['AttachPolicy', 'DetachPolicy'], [certificates, this.policy.attrArn])
    accept(grantee, {
      'AwsSolutions-IAM5[Resource::*]':
        'These make certificates and tie them to things: IAM knows no resource for them that exists beforehand.',
      [wildcard('thing/*')]: 'Appliances enrol at run time, each as a thing.',
      [wildcard('cert/*')]: 'IoT names a certificate when it makes it.',
    })
  }

  #grant(grantee: Role, actions: string[], resourceArns: string[]): void {
    Grant.addToPrincipal({ grantee, actions: actions.map((action) => `iot:${action}`), resourceArns })
  }

  #arn(resource: string, resourceName: string): string {
    return Stack.of(this).formatArn({ service: 'iot', resource, resourceName })
  }
}

/** How cdk-nag names a finding about an ARN that ends in, or has in it, a star. */
function wildcard(resource: string): string {
  return `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:${resource}]`
}
