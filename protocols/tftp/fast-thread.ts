import { runEngine } from '@bloomery/wire/native-engine.ts'
import { FastTransfers, type FastOrder } from './fast-transfers.ts'

/** The thread of `fast-sender.ts`. */
runEngine<FastOrder>((native, bell, ended, place) => new FastTransfers(native, bell, ended, place))
