// Pure. What is drawn again from the same is the same: the browser then has nothing to compare. The last of each is kept and no more.

/** @returns `make`, which is called only when one of its inputs is another than the last time */
export function remembered<Inputs extends readonly unknown[], Made>(
  make: (...inputs: Inputs) => Made,
): (...inputs: Inputs) => Made {
  let last: { readonly inputs: Inputs; readonly made: Made } | undefined;
  return (...inputs) => {
    const isSame = last !== undefined && inputs.every((input, index) => input === last?.inputs[index]);
    if (!isSame) last = { inputs, made: make(...inputs) };
    return (last as { readonly made: Made }).made;
  };
}

/** The same for each object that it is made of, for as long as that is there. */
export function rememberedOf<Of extends object, Inputs extends readonly unknown[], Made>(
  make: (of: Of, ...inputs: Inputs) => Made,
): (of: Of, ...inputs: Inputs) => Made {
  const each = new WeakMap<Of, (...inputs: Inputs) => Made>();
  return (of, ...inputs) => {
    const known = each.get(of) ?? remembered((...given: Inputs) => make(of, ...given));
    each.set(of, known);
    return known(...inputs);
  };
}

/** `after`, with those parts of `before` in it that say the same: what has not changed stays the same object. Both come from JSON. */
export function sharing<Value>(before: unknown, after: Value): Value {
  if (before === after || !isObject(before) || !isObject(after)) return after;
  if (Array.isArray(before) !== Array.isArray(after)) return after;
  const keys = Object.keys(after);
  const shared = keys.map((key) => sharing(before[key], after[key]));
  const isSame =
    keys.length === Object.keys(before).length && keys.every((key, index) => shared[index] === before[key]);
  if (isSame) return before as Value;
  if (Array.isArray(after)) return shared as Value;
  return Object.fromEntries(keys.map((key, index) => [key, shared[index]])) as Value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
