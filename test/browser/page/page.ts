/** The script of the tests' page. Tests call what lies in `globalThis.device`. */
Object.assign(globalThis, { device: {} });
