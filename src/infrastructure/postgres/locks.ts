/** Advisory locks in Postgres: each is held by one connection at a time, of all processes. */
export const LOCKS = {
  migration: 7_215_001,
  projector: 7_215_002,
  rebuild: 7_215_003,
  signingKeys: 7_215_004,
  erasure: 7_215_020,
} as const;
