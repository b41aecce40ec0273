const euros = new Intl.NumberFormat(undefined, { style: "currency", currency: "EUR" });

export const money = (cents) => euros.format(cents / 100);
export const price = (cents) => (cents ? money(cents) : "free");
export const tickets = (count) => (count === 1 ? "1 ticket" : `${count} tickets`);

const written = (options) => {
  const format = new Intl.DateTimeFormat(undefined, options);
  return (moment) => format.format(new Date(moment));
};
export const day = written({ day: "numeric" });
export const month = written({ month: "short" });
export const date = written({ weekday: "long", day: "numeric", month: "long" });
export const time = written({ hour: "numeric", minute: "2-digit" });
export const stamp = written({ day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });

/** What there is to say about the tickets that are left. */
export function availability({ left, capacity }) {
  if (left === 0) return "Sold out";
  return left <= Math.max(5, capacity / 10) ? `Only ${left} left` : `${left} of ${capacity} left`;
}
