// The shape of `PUT /faults` (infra/emulator/src/faults/mod.rs), for the form. Pure.

/** The members of a fault: name, label, unit. A rate is a share from 0 to 1, shown in percent. */
const THROTTLE = ["throttle", "throttled", "rate"];
const FAIL = ["fail", "fail", "rate"];
const DELAY = ["delayMs", "delay", "ms"];

/** Faults by name of a resource: member, title, kind of the map's nodes, members. */
export const GROUPS = [
  ["tables", "Tables", "table", [THROTTLE, FAIL, ["conflict", "conflict", "rate"], DELAY]],
  ["queues", "Queues", "queue", [THROTTLE, FAIL, DELAY]],
  ["secrets", "Secrets", "secret", [THROTTLE, FAIL, DELAY]],
  ["streams", "Streams of tables", "table", [["drop", "records dropped", "rate"]]],
  ["kill", "Processes killed around a write", "function", [["beforeCommit", "before it", "rate"], ["afterCommit", "after it", "rate"]]],
];

/** Faults without names: member, title, members. */
export const SINGLE = [
  ["mail", "Mail service", [THROTTLE, FAIL, DELAY]],
  ["deliveries", "Deliveries to functions", [["duplicate", "twice", "rate"], ["reorder", "out of order", "rate"]]],
];

/** A fault with no effect. */
export const none = members => Object.fromEntries(members.map(([name]) => [name, 0]));

/** The places at which faults are set, as short texts: `OrdersTable: throttled 10 %`. */
export function active(faults) {
  const texts = [];
  for (const [group, , , members] of GROUPS) {
    for (const [name, fault] of Object.entries(faults[group] ?? {})) texts.push(...described(name, fault, members));
  }
  for (const [name, title, members] of SINGLE) texts.push(...described(title, faults[name] ?? {}, members));
  for (const table of faults.torn ?? []) texts.push(`${table}: writes dropped from transactions`);
  if (faults.coldStarts) texts.push("every invocation is a cold start");
  for (const [name, fault] of Object.entries(faults.standins ?? {})) if (isSet(fault)) texts.push(`${name}: stand-in with faults`);
  return texts;
}

function described(name, fault, members) {
  const set = members.filter(([member]) => fault[member] > 0);
  return set.length === 0 ? [] : [`${name}: ${set.map(([member, label, unit]) => `${label} ${inUnit(fault[member], unit)}`).join(", ")}`];
}

const inUnit = (value, unit) => (unit === "rate" ? `${percent(value)} %` : `${value} ms`);

/** A rate in percent, without the noise of binary fractions. */
export const percent = rate => Number((rate * 100).toFixed(4));

/** Whether any member of a value differs from none. */
export const isSet = value =>
  value !== null && typeof value === "object" ? Object.values(value).some(isSet) : Boolean(value);

/** The faults without entries that have no effect. */
export function cleaned(faults) {
  const result = { ...faults };
  for (const [group] of GROUPS) {
    result[group] = Object.fromEntries(Object.entries(faults[group] ?? {}).filter(([, fault]) => isSet(fault)));
  }
  return result;
}
