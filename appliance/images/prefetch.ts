import { stepArguments } from '../../contract/step-arguments.ts'
import { stepName, type Plan } from '../../contract/plan.ts'
import type { Images } from './images.ts'

/** Begins to fetch what the plan will write while the machine still starts; the step that needs it joins the transfer, and says what
 * went wrong with it. */
export function prefetch(images: Images, plan: Plan, signal: AbortSignal): void {
  const options = { commandOf: plan.id, signal, trouble: () => {}, progress: () => {} }
  for (const step of plan.steps) {
    if (stepName(step) !== 'deploy.write_image') continue
    const args = stepArguments['deploy.write_image'].safeParse(step.args).data
    if (!args) continue
    images.fetch(args.image, options).catch(() => {})
    if (args.config_drive) images.configDrive(args.config_drive, options).catch(() => {})
  }
}
