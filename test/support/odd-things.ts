/** What code of others can throw, or reject with, beside errors as they should be. */

/** By what it is; made anew each time, as some of them are changed by being looked at. */
export const ODD_THINGS: Readonly<Record<string, () => unknown>> = {
  'an error like others': () => new Error('the printer is off'),
  'an error without a message': () => new Error(),
  'an error whose message is a number': () => Object.assign(new Error(), { message: 42 }),
  'an error whose message is an object': () => Object.assign(new Error(), { message: {} }),
  'an error whose message is a symbol': () => Object.assign(new Error(), { message: Symbol('m') }),
  'an error whose message throws': () =>
    Object.defineProperty(new Error(), 'message', { get: thrower('message') }),
  'an error all of whose properties throw': () => {
    const error = new Error('hidden');
    for (const name of ['stack', 'message', 'name', 'code', 'cause', 'constructor', 'then']) {
      Object.defineProperty(error, name, { get: thrower(name), enumerable: true });
    }
    return error;
  },
  'a frozen error': () => Object.freeze(new Error('the printer is frozen')),
  'an error with a message without end': () => new Error('x'.repeat(5_000_000)),
  'an error that is not well-formed': () => new Error('half a \ud800 character'),
  'an error that names itself a symbol': () => Object.assign(new Error('odd'), { name: Symbol() }),
  'an error of which each is the cause of the other': () => {
    const [one, two] = [new Error('one'), new Error('two')];
    one.cause = two;
    two.cause = one;
    return one;
  },
  undefined: () => undefined,
  null: () => null,
  'a text': () => 'the printer is off',
  'an empty text': () => '',
  'a number': () => Number.NaN,
  'a large number': () => 10n ** 30n,
  'a symbol': () => Symbol('off'),
  'a function': () => () => 'off',
  'a class': () => class Off {},
  'an object': () => ({ reason: 'off' }),
  'an object with a message': () => ({ message: 'the printer is off' }),
  'an object without a prototype': () => Object.create(null),
  'an object whose toString throws': () => ({ toString: thrower('toString') }),
  'an object whose toString answers an object': () => ({ toString: () => ({}) }),
  'an array': () => [1, 2, 3],
  'a proxy that throws at everything': () => new Proxy({}, throwing),
  'a proxy of an error that throws at everything': () => new Proxy(new Error('hidden'), throwing),
  'a proxy that was revoked': () => {
    const { proxy, revoke } = Proxy.revocable(new Error('hidden'), {});
    revoke();
    return proxy;
  },
  'a promise that is rejected': () => {
    const promise = Promise.reject(new Error('too late'));
    promise.catch(() => {});
    return promise;
  },
};

/** What can be answered where a value is expected at once, or a promise of one. */
export const ODD_ANSWERS: Readonly<Record<string, () => unknown>> = {
  'a promise that is rejected': () => Promise.reject(new Error('too late')),
  'a thenable that rejects': () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is what is odd about it
    then: (_: unknown, reject: (error: unknown) => void) => reject(Object.create(null)),
  }),
  'a thenable that throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is what is odd about it
    then: thrower('then'),
  }),
  'an object whose then throws when it is looked at': () =>
    Object.defineProperty({}, 'then', { get: thrower('then'), enumerable: true }),
};

const throwing: ProxyHandler<object> = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((trap) => [trap, thrower(trap)]),
);

function thrower(what: string): () => never {
  return () => {
    throw new TypeError(`looked at ${what}`);
  };
}
