import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { sealedPrefix, subjectIn } from '../../domain/personal/sealed-text.js';

const ID_BYTES = 6;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HALF_KEY_BYTES = 32;

/** The subject the key belongs to. What is sealed for one subject of one organization opens for no other. */
export type Subject = Readonly<{ organizationId: string; subjectId: string }>;

/** One half encrypts, the other makes nonces. */
export const newSubjectKey = (): Buffer => randomBytes(2 * HALF_KEY_BYTES);

/** 8 characters of base64url. Whoever stores it sees to it that no two subjects have the same. */
export const newSubjectId = (): string => randomBytes(ID_BYTES).toString('base64url');

const encryptionKey = (key: Buffer): Buffer => key.subarray(0, HALF_KEY_BYTES);

/** Follows from the text, so that one text has one sealed form; two texts share one with a probability of 2^-96. */
const nonceOf = (key: Buffer, text: string): Buffer =>
  createHmac('sha256', key.subarray(HALF_KEY_BYTES)).update(text).digest().subarray(0, NONCE_BYTES);

const contextOf = ({ organizationId, subjectId }: Subject): Buffer =>
  Buffer.from(`${organizationId}\n${subjectId}`);

/** AES-256-GCM. The same key and text always give the same sealed text. */
export const sealText = (key: Buffer, subject: Subject, text: string): string => {
  const nonce = nonceOf(key, text);
  const cipher = createCipheriv('aes-256-gcm', encryptionKey(key), nonce);
  cipher.setAAD(contextOf(subject));
  const sealed = Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  return `${sealedPrefix(subject.subjectId)}${sealed.toString('base64url')}`;
};

/** @throws Error when it was altered, or sealed for another subject or organization */
export const openText = (key: Buffer, subject: Subject, sealed: string): string => {
  const bytes = Buffer.from(sealed.slice(sealedPrefix(subjectIn(sealed)).length), 'base64url');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', encryptionKey(key), nonce, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(contextOf(subject)).setAuthTag(bytes.subarray(-TAG_BYTES));
  const opened = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
  return Buffer.concat([opened, decipher.final()]).toString();
};
