/**
 * Every failure that Millrace reports on purpose. `code` is stable and listed in
 * `docs/protocol.md`; `message` is for people and may change.
 */
export class MillraceError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** What the caller handed over breaks a rule; nothing was changed. `field` names the place, as in `events[0].type`. */
export class InvalidInput extends MillraceError {
  readonly field: string;

  constructor(field: string, rule: string, code = 'invalid_input') {
    super(code, `${field} ${rule}`);
    this.field = field;
  }
}
