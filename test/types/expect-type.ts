/** Assertions about types. They cost nothing at run time; a wrong one does not compile. */

/** Whether two types are the same, not only assignable to each other. */
export type Equal<Left, Right> =
  (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;

/** Compiles for `true` alone. */
export function expectType<_Holds extends true>(): void {}
