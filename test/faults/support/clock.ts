/** A stand-in for a machine whose clock is wrong: Date is moved, as a program sees it. */
export const withClockAt = (offsetMs: number): Readonly<Record<string, string>> => {
  const source = `const R=Date;globalThis.Date=class extends R{constructor(...a){a.length===0?super(R.now()+${offsetMs}):super(...a)}static now(){return R.now()+${offsetMs}}};`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` };
};
