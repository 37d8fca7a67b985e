import { z } from 'zod'

/** Names that every Placement has (os-resource-classes), and traits of machines (os-traits) that flavors ask for. */

export const standardClasses = [
  'VCPU',
  'MEMORY_MB',
  'DISK_GB',
  'PCI_DEVICE',
  'SRIOV_NET_VF',
  'NUMA_SOCKET',
  'NUMA_CORE',
  'NUMA_THREAD',
  'NUMA_MEMORY_MB',
  'IPV4_ADDRESS',
  'VGPU',
  'VGPU_DISPLAY_HEAD',
  'NET_BW_EGR_KILOBIT_PER_SEC',
  'NET_BW_IGR_KILOBIT_PER_SEC',
  'PCPU',
  'MEM_ENCRYPTION_CONTEXT',
  'FPGA',
  'PGPU',
  'NET_PACKET_RATE_KILOPACKET_PER_SEC',
  'NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC',
  'NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC',
] as const satisfies readonly string[]

export const standardTraits = [
  'COMPUTE_IMAGE_TYPE_ISO',
  'COMPUTE_IMAGE_TYPE_QCOW2',
  'COMPUTE_IMAGE_TYPE_RAW',
  'COMPUTE_VOLUME_ATTACH',
  'HW_ARCH_AARCH64',
  'HW_ARCH_X86_64',
  'HW_CPU_HYPERTHREADING',
  'HW_CPU_X86_AVX',
  'HW_CPU_X86_AVX2',
  'HW_CPU_X86_SGX',
  'HW_CPU_X86_SVM',
  'HW_CPU_X86_VMX',
  'STORAGE_DISK_HDD',
  'STORAGE_DISK_SSD',
] as const satisfies readonly string[]

export const customTrait = z
  .string()
  .regex(/^CUSTOM_[A-Z0-9_]+$/, 'must be CUSTOM_ and then upper-case letters, digits and underscores')
  .max(255)
