import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Grant, type Role } from 'aws-cdk-lib/aws-iam'
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { accept } from './accept.ts'

type ObjectAction = 'GetObject' | 'PutObject' | 'DeleteObject' | 'AbortMultipartUpload'

/** Images, config drives and plans too large for a message. Sites reach them by signed URLs only. */
export class Images extends Construct {
  readonly bucket: Bucket

  constructor(scope: Construct, id: string) {
    super(scope, id)
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
      // What is stored is named by uuid and never changed; a version kept would only be a deleted image that still costs.
      versioned: false,
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    })
    accept(this.bucket, {
      'AwsSolutions-S1': 'Every access is by a function, or by a signed URL that a logged decision of one handed out.',
    })
  }

  /** Signed URLs carry the rights of the function that signs them. */
  grantUse(grantee: Role, ...actions: ObjectAction[]): void {
    Grant.addToPrincipal({
      grantee,
      actions: actions.map((action) => `s3:${action}`),
      resourceArns: [this.bucket.arnForObjects('*')],
    })
    // Without it S3 answers 403, not 404, for an object that isn't there.
    Grant.addToPrincipal({ grantee, actions: ['s3:ListBucket'], resourceArns: [this.bucket.bucketArn] })
    const bucket = Stack.of(this).getLogicalId(this.bucket.node.defaultChild as CfnBucket)
    accept(grantee, { [`AwsSolutions-IAM5[Resource::<${bucket}.Arn>/*]`]: 'Objects are named at run time.' })
  }
}
