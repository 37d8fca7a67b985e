import type { SerialPort } from '../sol-serial.ts'

/** A serial port whose other end is in the test's hands. */
export interface PaperSerial extends SerialPort {
  /** What consoles typed. */
  typed: string
  breaks: number
  /** Nobody has it open: it is lost, as on a wire. */
  print(text: string): void
  lineBreak(): void
  readonly isOpen: boolean
  /** How many characters it takes before it asserts flow control. */
  room: number
}

export function paperSerial(): PaperSerial {
  let hear: Parameters<SerialPort['open']>[0] | undefined
  const serial: PaperSerial = {
    typed: '',
    breaks: 0,
    room: Number.POSITIVE_INFINITY,
    get isOpen() {
      return hear !== undefined
    },
    print: (text) => hear?.data(Buffer.from(text)),
    lineBreak: () => hear?.lineBreak(),
    open(listener) {
      hear = listener
      return {
        write(bytes) {
          const taken = bytes.subarray(0, serial.room)
          serial.room -= taken.length
          serial.typed += Buffer.from(taken).toString('latin1')
          return taken.length
        },
        lineBreak: () => (serial.breaks += 1),
        close: () => (hear = undefined),
      }
    },
  }
  return serial
}
