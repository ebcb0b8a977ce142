import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OpossumEngine } from './opossum-engine.ts';

let halfOpened: number;
let engine: OpossumEngine;

beforeEach(() => {
  vi.useFakeTimers();
  halfOpened = 0;
  engine = new OpossumEngine(() => {
    halfOpened += 1;
  });
});

afterEach(() => {
  engine.release();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('OpossumEngine', () => {
  it('holds nothing until it opens, then one timer', () => {
    expect(vi.getTimerCount()).toBe(0);
    engine.open(100);
    expect(vi.getTimerCount()).toBe(1);
  });

  it('half-opens once after the given time', () => {
    engine.open(100);
    vi.advanceTimersByTime(99);
    expect(halfOpened).toBe(0);
    vi.advanceTimersByTime(10_000);
    expect(halfOpened).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('starts anew when opened while open, and when opened while half-open', () => {
    engine.open(100);
    vi.advanceTimersByTime(60);
    engine.open(200);
    vi.advanceTimersByTime(199);
    expect(halfOpened).toBe(0);
    vi.advanceTimersByTime(1);
    expect(halfOpened).toBe(1);
    engine.open(300);
    vi.advanceTimersByTime(299);
    expect(halfOpened).toBe(1);
    vi.advanceTimersByTime(1);
    expect(halfOpened).toBe(2);
  });

  it('forgets circuit and timer when released, as often as one likes', () => {
    engine.open(100);
    engine.release();
    engine.release();
    vi.advanceTimersByTime(1_000);
    expect(halfOpened).toBe(0);
  });
});
