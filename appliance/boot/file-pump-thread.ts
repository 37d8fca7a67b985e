import { runEngine } from '@bloomery/wire/native-engine.ts'
import { FilePump, type PumpOrder } from './file-pump.ts'

/** The thread of `file-pumps.ts`. */
runEngine<PumpOrder>((native, bell, ended) => new FilePump(native, bell, ended))
