import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib'
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb'
import { type IGrantable, Grant } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'

/** As lambdas/platform.ts has them; test/cloud/stack.test.ts holds both together. */
const indexes = ['all', 'site', 'state', 'owner', 'class', 'instance', 'driver', 'node', 'due'] as const

/** The one table. Indexes hold keys only: a write that leaves an index's key alone costs nothing there. */
export class Store extends Construct {
  readonly table: Table

  constructor(scope: Construct, id: string) {
    super(scope, id)
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.AWS_MANAGED,
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: 'expires',
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    })
    for (const indexName of indexes) {
      this.table.addGlobalSecondaryIndex({
        indexName,
        partitionKey: { name: `${indexName}_pk`, type: AttributeType.STRING },
        sortKey: { name: `${indexName}_sk`, type: AttributeType.STRING },
        projectionType: ProjectionType.KEYS_ONLY,
      })
    }
  }

  /** What lambdas/aws/table.ts does, and no more: no scan, no change of the table itself. */
  grantUse(grantee: IGrantable): void {
    const { tableArn } = this.table
    Grant.addToPrincipal({
      grantee,
      actions: ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'].map(
        (action) => `dynamodb:${action}`,
      ),
      resourceArns: [tableArn],
    })
    const stack = Stack.of(this)
    Grant.addToPrincipal({
      grantee,
      actions: ['dynamodb:Query'],
      resourceArns: indexes.map((index) =>
        stack.formatArn({
          service: 'dynamodb',
          resource: 'table',
          resourceName: `${this.table.tableName}/index/${index}`,
          arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
        }),
      ),
    })
  }
}
