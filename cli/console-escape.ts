/** What somebody at a console types, divided into what goes to the machine and what is meant for us: `~` at the beginning of a line
 * begins a command, as ssh and ipmitool have it. */
export interface Typed {
  text: string
  command?: 'leave' | 'break' | 'help'
}

export class EscapeReader {
  #atLineStart = true
  #escaped = false

  read(input: string): Typed[] {
    const typed: Typed[] = []
    let text = ''
    const flush = (command?: Typed['command']): void => {
      if (text !== '' || command) typed.push({ text, ...(command && { command }) })
      text = ''
    }
    for (const character of input) {
      if (this.#escaped) {
        this.#escaped = false
        if (character === '.') flush('leave')
        else if (character === 'B') flush('break')
        else if (character === '?') flush('help')
        // Anything else was no command: both characters were meant; two tildes are one.
        else text += character === '~' ? '~' : `~${character}`
        this.#atLineStart = character === '\r' || character === '\n' || '.B?'.includes(character)
      } else if (character === '~' && this.#atLineStart) this.#escaped = true
      else {
        text += character
        this.#atLineStart = character === '\r' || character === '\n'
      }
    }
    flush()
    return typed
  }
}
