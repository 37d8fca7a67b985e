import { SCREEN } from '../../contract/console.ts'

const ESC = 0x1b
const MOST_SEQUENCE = 64
const TAB = 8

type Mode = 'text' | 'escape' | 'control' | 'string' | 'string end' | 'one more'

/** What a terminal would show: as much of a VT100 (ECMA-48) as firmware, boot loaders, kernels and installers use to place their
 * characters. Colours and fonts are dropped. Bounded, whatever comes. */
export class Screen {
  readonly #rows = SCREEN.rows
  readonly #columns = SCREEN.columns
  #cells: string[][] = []
  #row = 0
  #column = 0
  /** The last column was written: the next character begins a line. */
  #wraps = false
  #saved: [row: number, column: number] = [0, 0]
  #top = 0
  #bottom: number = SCREEN.rows - 1
  #mode: Mode = 'text'
  #sequence = ''

  constructor() {
    this.#reset()
  }

  write(text: string): void {
    for (const character of text) this.#take(character)
  }

  /** Without the blanks at the ends of lines and the empty lines at the end. */
  lines(): string[] {
    const lines = this.#cells.map((row) => row.join('').trimEnd())
    while (lines.at(-1) === '') lines.pop()
    return lines
  }

  #take(character: string): void {
    const code = character.codePointAt(0) ?? 0
    switch (this.#mode) {
      case 'text':
        return this.#text(character, code)
      case 'escape':
        return this.#escape(character)
      case 'control':
        return this.#control(character, code)
      case 'one more':
        this.#mode = 'text'
        return
      case 'string':
        // ECMA-48 §5.6: a command string ends by ST; xterm's also by BEL.
        if (code === 0x07 || code === 0x9c || code === 0x18) this.#mode = 'text'
        else if (code === ESC) this.#mode = 'string end'
        return
      case 'string end':
        this.#mode = character === '\\' ? 'text' : 'string'
    }
  }

  #text(character: string, code: number): void {
    if (code === ESC) this.#mode = 'escape'
    else if (code === 0x0d) this.#to(this.#row, 0)
    else if (code === 0x0a || code === 0x0b || code === 0x0c) this.#lineFeed()
    else if (code === 0x08) this.#to(this.#row, this.#column - 1)
    else if (code === 0x09) this.#to(this.#row, (Math.floor(this.#column / TAB) + 1) * TAB)
    else if (code >= 0x20 && (code < 0x7f || code > 0x9f)) this.#put(character)
  }

  #put(character: string): void {
    if (this.#wraps) {
      this.#column = 0
      this.#lineFeed()
    }
    const row = this.#cells[this.#row]
    if (row) row[this.#column] = character
    this.#wraps = this.#column === this.#columns - 1
    if (!this.#wraps) this.#column += 1
  }

  #escape(character: string): void {
    this.#mode = 'text'
    if (character === '[') {
      this.#mode = 'control'
      this.#sequence = ''
    } else if (']PX^_'.includes(character)) this.#mode = 'string'
    else if ('()*+#% '.includes(character)) this.#mode = 'one more'
    else if (character === 'c') this.#reset()
    else if (character === '7') this.#saved = [this.#row, this.#column]
    else if (character === '8') this.#to(...this.#saved)
    else if (character === 'D') this.#lineFeed()
    else if (character === 'E') {
      this.#to(this.#row, 0)
      this.#lineFeed()
    } else if (character === 'M') this.#reverseLineFeed()
  }

  /** ECMA-48 §5.4: parameters, then one final character. */
  #control(character: string, code: number): void {
    if (code >= 0x40 && code <= 0x7e) {
      this.#mode = 'text'
      // Private ones (?, >, …) place nothing.
      if (/^[\d;]*$/.test(this.#sequence)) this.#function(character, this.#sequence.split(';').map(Number))
    } else if (code < 0x20 && code !== ESC) this.#text(character, code)
    else if (code === ESC || this.#sequence.length >= MOST_SEQUENCE) this.#mode = code === ESC ? 'escape' : 'text'
    else this.#sequence += character
  }

  #function(final: string, [first = 0, second = 0]: number[]): void {
    const count = Math.max(first, 1)
    const clear = (row: number, from: number, to: number): void => void this.#cells[row]?.fill(' ', from, to)
    switch (final) {
      case 'A':
        return this.#to(this.#row - count, this.#column)
      case 'B':
        return this.#to(this.#row + count, this.#column)
      case 'C':
        return this.#to(this.#row, this.#column + count)
      case 'D':
        return this.#to(this.#row, this.#column - count)
      case 'E':
        return this.#to(this.#row + count, 0)
      case 'F':
        return this.#to(this.#row - count, 0)
      case 'G':
        return this.#to(this.#row, count - 1)
      case 'd':
        return this.#to(count - 1, this.#column)
      case 'H':
      case 'f':
        return this.#to(count - 1, Math.max(second, 1) - 1)
      case 'J':
        for (let row = 0; row < this.#rows; row += 1)
          if (first >= 2 || (first === 0 ? row > this.#row : row < this.#row)) clear(row, 0, this.#columns)
        if (first < 2) this.#function('K', [first])
        return
      case 'K':
        if (first === 0) return clear(this.#row, this.#column, this.#columns)
        return clear(this.#row, 0, first === 1 ? this.#column + 1 : this.#columns)
      case 'P':
      case '@':
        return this.#shift(final === 'P' ? count : -count)
      case 'X':
        return clear(this.#row, this.#column, Math.min(this.#column + count, this.#columns))
      case 'L':
      case 'M':
        return this.#shiftRows(Math.min(count, this.#rows), final === 'L')
      case 'r':
        return this.#scrollRegion(first, second)
      case 's':
        this.#saved = [this.#row, this.#column]
        return
      case 'u':
        return this.#to(...this.#saved)
    }
  }

  #to(row: number, column: number): void {
    this.#row = Math.min(Math.max(row, 0), this.#rows - 1)
    this.#column = Math.min(Math.max(column, 0), this.#columns - 1)
    this.#wraps = false
  }

  #lineFeed(): void {
    this.#wraps = false
    if (this.#row === this.#bottom) this.#scroll(this.#top, this.#bottom)
    else if (this.#row < this.#rows - 1) this.#row += 1
  }

  #reverseLineFeed(): void {
    if (this.#row === this.#top) this.#scroll(this.#bottom, this.#top)
    else this.#to(this.#row - 1, this.#column)
  }

  /** The line at `gone` leaves, an empty one comes at `fresh`. */
  #scroll(gone: number, fresh: number): void {
    this.#cells.splice(gone, 1)
    this.#cells.splice(fresh, 0, this.#blank())
  }

  #scrollRegion(top: number, bottom: number): void {
    const [first, last] = [Math.max(top, 1) - 1, Math.min(bottom || this.#rows, this.#rows) - 1]
    if (first >= last) return
    this.#top = first
    this.#bottom = last
    this.#to(0, 0)
  }

  /** Characters of this line from the cursor on: to the left, or to the right. */
  #shift(by: number): void {
    const row = this.#cells[this.#row]
    if (!row) return
    const count = Math.min(Math.abs(by), this.#columns - this.#column)
    const blanks = Array.from({ length: count }, () => ' ')
    if (by > 0) row.splice(this.#column, count)
    row.splice(by > 0 ? this.#columns - count : this.#column, 0, ...blanks)
    row.length = this.#columns
  }

  #shiftRows(count: number, down: boolean): void {
    if (this.#row < this.#top || this.#row > this.#bottom) return
    for (let n = 0; n < count; n += 1)
      if (down) this.#scroll(this.#bottom, this.#row)
      else this.#scroll(this.#row, this.#bottom)
  }

  #blank(): string[] {
    return Array.from({ length: this.#columns }, () => ' ')
  }

  #reset(): void {
    this.#cells = Array.from({ length: this.#rows }, () => this.#blank())
    this.#top = 0
    this.#bottom = this.#rows - 1
    this.#to(0, 0)
  }
}
