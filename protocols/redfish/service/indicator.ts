import { type JsonObject, textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import type { State } from './state.ts'

const indicators = ['Lit', 'Blinking', 'Off']

/** The light of the machine, which is its chassis' too. False: the change is not about it. */
export function changeIndicator(state: State, body: JsonObject): boolean {
  const indicator = textAt(body, 'IndicatorLED')
  if (indicator === undefined) return false
  if (!indicators.includes(indicator)) throw new Refusal(400, 'PropertyValueNotInList', [indicator, 'IndicatorLED'])
  state.indicator = indicator
  return true
}
