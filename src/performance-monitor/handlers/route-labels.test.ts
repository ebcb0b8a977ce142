import { describe, expect, it } from 'vitest';
import { pathLabel, routePattern } from './route-label.ts';
import { RouteLabels } from './route-labels.ts';

describe('pathLabel', () => {
  it.each([
    ['/describe?token=secret#x', '/describe'],
    ['/api/v1/image-descriptions', '/api/v1/image-descriptions'],
    ['/_next/data.json', '/_next/data.json'],
    ['/.well-known/openid-configuration', '/.well-known/openid-configuration'],
    ['/oauth2/getUser/API', '/oauth2/getUser/API'],
    ['/wp-login.php', '/wp-login.php'],
    ['/', '/'],
    ['/orders/42', '/orders/:id'],
    ['/users/0b8f6c1e-8d0f-4a5e-9d6a-2f6f5f1b7a10', '/users/:id'],
    ['/users/jane@example.com/orders', '/users/:id/orders'],
    ['/users/jane%40example.com', '/users/:id'],
    ['/users/jane.doe+tag@example.com', '/users/:id'],
    ['/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', '/reset/:id'],
    ['/keys/sk-proj-abcdefghijkl', '/keys/:id'],
    ['/share/aB3xZ9', '/share/:id'],
    ['/share/XyZaBcDeFg', '/share/:id'],
    ['/invite/qwhdkfjahsdkfjhaksjdfhq', '/invite/:id'],
    ['/hash/deadbeefcafe0123', '/hash/:id'],
    ['/caf%C3%A9/zażółć', '/:id/:id'],
    ['/a/b/c/d/e/f/g', '/a/b/c/d/e/f/…'],
  ])('shows %s as %s', (url, label) => {
    expect(pathLabel(url)).toBe(label);
  });
});

describe('routePattern', () => {
  it.each<[unknown, string | undefined, string | undefined]>([
    [{ path: '/orders/:id' }, undefined, '/orders/:id'],
    [{ path: ['/cat', '/dog'] }, '/api', '/api/cat|/dog'],
    [{ path: /^\/cats?$/ }, undefined, '/^\\/cats?$/'],
    [{ path: '/orders' }, '/users/jane@example.com', '/users/:id/orders'],
    [undefined, '/api', undefined],
    [{}, '/api', undefined],
  ])('of %j below %s is %s', (route, baseUrl, pattern) => {
    expect(routePattern({ route, ...(baseUrl !== undefined && { baseUrl }) })).toBe(pattern);
  });
});

describe('RouteLabels', () => {
  const paths = Array.from({ length: 100 }, (_, index) => {
    return `/${String.fromCharCode(97 + (index % 26))}-x${String.fromCharCode(97 + Math.floor(index / 26))}`;
  });

  it.each([301, 302, 401, 403, 404, 405, 429])('calls what is answered %i before routing unmatched', (status) => {
    const labels = new RouteLabels(100);
    expect(new Set(paths.map((url) => labels.of({ url }, 'GET', status)))).toEqual(new Set(['unmatched']));
    expect(labels.of({ url: '/describe' }, 'GET', 200)).toBe('/describe');
    expect(labels.of({ url: '/describe', route: { path: '/describe' } }, 'GET', status)).toBe('/describe');
  });

  it('keeps patterns when a server answers every path, by every method', () => {
    const labels = new RouteLabels(100);
    const shown = new Set<string>();
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
      for (const url of paths) shown.add(`${method} ${labels.of({ url }, method, 200)}`);
    }
    expect([...shown].filter((label) => !label.endsWith(' other'))).toHaveLength(100);
    expect(labels.of({ url: '/orders/7', route: { path: '/orders/:id' } }, 'GET', 200)).toBe('/orders/:id');
  });

  it('shows a path that only fails', () => {
    expect(new RouteLabels(100).of({ url: '/describe' }, 'POST', 500)).toBe('/describe');
  });

  it('bounds patterns and labels of the user', () => {
    const labels = new RouteLabels(1, ({ url }) => `page ${url}`);
    expect(['/a', '/b', '/a'].map((url) => labels.of({ url }, 'GET', 200))).toEqual(['page /a', 'other', 'page /a']);
  });
});
