import { expect, it } from 'vitest'
import { refusal } from './refusal.ts'

it.each([
  [1, /EPERM.*Secure Boot or lockdown/],
  [61, /ENODATA.*signed/],
  [126, /ENOKEY.*signed/],
  [129, /EKEYREJECTED.*signed/],
  [8, /format/],
  [12, /memory/],
  [38, /no kexec/],
  [5, /errno 5/],
])('says what errno %d means of a kernel that was not loaded', (errno, said) => {
  expect(refusal(errno)).toMatch(said)
})
