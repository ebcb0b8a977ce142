import { describe, expect, it } from 'vitest';
import { imageTextOf, imageValueOf } from './image-value.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

describe('imageTextOf', () => {
  it.each([
    ['/home/me/cat.png', 'a file path'],
    ['./cat.png', 'a file path'],
    ['../cat', 'a file path'],
    ['~/cat.png', 'a file path'],
    ['C:\\Users\\me\\cat.png', 'a file path'],
    ['c:/cat.png', 'a file path'],
    ['\\\\server\\share\\cat.png', 'a file path'],
    ['cat.JPG', 'a file path'],
    ['images/cat of mine.webp', 'a file path'],
    ['file:///home/me/cat.png', 'a file: URL'],
    ['cdn.example.com/cat.png', 'an address without a scheme'],
    ['www.example.com/cat.png', 'an address without a scheme'],
    ['//cdn.example.com/cat.png', 'an address without a scheme'],
    ['localhost:3000/cat.png', 'an address without a scheme'],
    ['s3://bucket/cat.png', 'a URL with the scheme s3:'],
    ['gs://bucket/cat.png', 'a URL with the scheme gs:'],
    ['ftp://example.com/cat.png', 'a URL with the scheme ftp:'],
    ['blob:https://example.com/1', 'a URL with the scheme blob:'],
    ['hunter2secret:x', 'a URL with another scheme'],
    [PNG.toString('base64'), 'base64'],
    ['/9j/4AAQSkZJRgABAQ', 'base64'],
    ['QUJD'.repeat(1_000_000), 'base64'],
    [`image/png;base64,${PNG.toString('base64')}`, 'a data URL without `data:`'],
    [PNG.toString('latin1'), 'bytes as text'],
    [PNG.toString('utf8'), 'bytes as text'],
    [Buffer.from('ffd8ffe000104a46', 'hex').toString('utf8'), 'bytes as text'],
    ['', 'an empty text'],
    [' \n', 'an empty text'],
    ['undefined', 'a missing value as text'],
    ['[object Object]', 'a missing value as text'],
    ['What is in this picture?', 'other text'],
  ])('tells %s', (text, kind) => {
    expect(imageTextOf(text).kind).toBe(kind);
  });
});

describe('imageValueOf', () => {
  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [5, 'a number'],
    [() => {}, 'a function'],
    [PNG, 'bytes'],
    [new ArrayBuffer(1), 'bytes'],
    [new Blob([PNG]), 'bytes'],
    [Promise.resolve(PNG), 'a promise'],
    [new Blob([]).stream(), 'a stream'],
    [['https://a.example/1.png'], 'an array'],
    [{ url: 'https://a.example/1.png' }, 'an object with `url`'],
    [new URL('file:///cat.png'), 'a file: URL'],
    [{}, 'an object'],
  ])('tells %o', (value, kind) => {
    expect(imageValueOf(value).kind).toBe(kind);
  });
});
