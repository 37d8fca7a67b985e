/** linux/asm-generic/errno.h: what a kernel answers to one that it doesn't trust, be it locked down or told to enforce signatures. */
const untrusted: Record<number, string> = {
  1: 'EPERM',
  61: 'ENODATA',
  65: 'ENOPKG',
  74: 'EBADMSG',
  126: 'ENOKEY',
  129: 'EKEYREJECTED',
}
const ENOEXEC = 8
const ENOMEM = 12
const ENOSYS = 38

/** Why kexec_file_load(2) did not load a kernel. Pure. */
export function refusal(errno: number): string {
  const name = untrusted[errno]
  if (name !== undefined)
    return `the running kernel refuses it (${name}), as under Secure Boot or lockdown it does with kernels that nobody it trusts has signed`
  if (errno === ENOEXEC) return 'the running kernel does not know its format'
  if (errno === ENOMEM) return 'there is not enough memory for it'
  if (errno === ENOSYS) return 'the running kernel has no kexec'
  return `the running kernel refuses it (errno ${errno})`
}
