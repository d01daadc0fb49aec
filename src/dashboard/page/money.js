// @ts-check
/**
 * Decimals as text, without the rounding of doubles: sums of money are as exact here as in SQL.
 * They have no currency: that is the prices' own.
 */

/** Decimals that are added up; PostgreSQL's come with as many as the price has. */
const SCALE = 6;
const UNIT = 10n ** BigInt(SCALE);
/** Decimals that are shown. */
const SHOWN = 2;
const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?$/;

/**
 * Null if it is no decimal (`NaN`, which PostgreSQL's numeric knows, is none).
 * @param {string | number} amount
 * @returns {bigint | null} in millionths
 */
export function parseMoney(amount) {
  const match = DECIMAL.exec(String(amount));
  if (match === null) return null;
  const [, sign, whole = "0", decimals = ""] = match;
  const fraction = decimals.slice(0, SCALE).padEnd(SCALE, "0");
  const value = BigInt(whole) * UNIT + BigInt(fraction);
  return sign === "-" ? -value : value;
}

/**
 * `1234567.5` is `1,234,567.50`, rounded half away from zero.
 * @param {bigint} millionths
 */
export function formatMoney(millionths) {
  const step = 10n ** BigInt(SCALE - SHOWN);
  const isNegative = millionths < 0n;
  const hundredths = ((isNegative ? -millionths : millionths) + step / 2n) / step;
  const whole = hundredths / 100n;
  const cents = String(hundredths % 100n).padStart(SHOWN, "0");
  const sign = isNegative && hundredths > 0n ? "-" : "";
  return `${sign}${whole.toLocaleString("en-US")}.${cents}`;
}

/**
 * For a chart, where a double will do.
 * @param {bigint} millionths
 */
export function moneyAsNumber(millionths) {
  return Number(millionths) / Number(UNIT);
}
