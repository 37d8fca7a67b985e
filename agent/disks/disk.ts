/** A whole disk. What the hardware does not tell is undefined. Names of fields are those of root device hints. */
export interface Disk {
  /** Path of the device: /dev/sda. */
  name: string
  /** Bytes. */
  size: number
  /** Bytes of a logical sector: the unit of partition tables. */
  sector: number
  rotational: boolean
  discards: boolean
  model?: string
  vendor?: string
  serial?: string
  wwn?: string
  wwn_with_extension?: string
  wwn_vendor_extension?: string
  /** Host, channel, target, LUN of SCSI: 0:0:0:0. */
  hctl?: string
  by_path?: string
  /** Of an array: the name that it was made with, and the devices that it is made of. */
  volume_name?: string
  members?: string[]
  /** Arrays that are made of it. */
  holds?: string[]
}

export const MiB = 1024 * 1024
export const GiB = 1024 * MiB
