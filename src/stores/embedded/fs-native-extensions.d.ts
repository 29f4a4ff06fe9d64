/** The package ships no types; this is the part of it that we use. */
declare module 'fs-native-extensions' {
  /** Tries to lock the whole file behind `fd` for this open file alone; answers false when another has it. */
  export function tryLock(fd: number): boolean;
}
