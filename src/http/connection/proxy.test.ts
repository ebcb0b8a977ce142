import { describe, expect, it } from 'vitest';
import { proxyFor, readProxyEnvironment } from './proxy.ts';

const HTTPS = 'http://user:pass@proxy.example:3128';
const HTTP = 'http://other.example:8080';

describe('proxyFor', () => {
  it('chooses by scheme', () => {
    const settings = { httpsProxy: HTTPS, httpProxy: HTTP };
    expect(proxyFor('https://api.openai.com/v1', settings)).toBe(HTTPS);
    expect(proxyFor('http://api.openai.com/v1', settings)).toBe(HTTP);
    expect(proxyFor('http://api.openai.com/v1', { httpsProxy: HTTPS })).toBeUndefined();
  });

  it.each([
    ['*', 'https://anything.example'],
    ['openai.com', 'https://api.openai.com'],
    ['.openai.com', 'https://api.openai.com'],
    ['*.openai.com', 'https://api.openai.com'],
    ['a.example, OpenAI.com.', 'https://openai.com'],
    ['a.example openai.com:443', 'https://openai.com'],
    ['openai.com:8443', 'https://openai.com:8443'],
    ['127.0.0.1', 'https://127.0.0.1:9000'],
    ['127.0.0.1:9000', 'https://127.0.0.1:9000'],
    ['10.0.0.0/8', 'https://10.20.30.40'],
    ['::1', 'https://[::1]:9000'],
    ['fd00::/8', 'https://[fd12::1]'],
    ['localhost', 'https://localhost:8080'],
  ])('leaves it out by %s for %s', (noProxy, url) => {
    expect(proxyFor(url, { httpsProxy: HTTPS, noProxy })).toBeUndefined();
  });

  it.each([
    ['openai.com', 'https://notopenai.com'],
    ['api.openai.com', 'https://openai.com'],
    ['openai.com:8443', 'https://openai.com'],
    ['10.0.0.0/8', 'https://11.0.0.1'],
    ['0.0.1', 'https://127.0.0.1'],
    [' , ,', 'https://openai.com'],
    ['10.0.0.0/8', 'https://openai.com'],
  ])('keeps it by %s for %s', (noProxy, url) => {
    expect(proxyFor(url, { httpsProxy: HTTPS, noProxy })).toBe(HTTPS);
  });
});

describe('readProxyEnvironment', () => {
  it('reads both cases, lower first', () => {
    expect(readProxyEnvironment({ HTTPS_PROXY: HTTPS, https_proxy: HTTP, HTTP_PROXY: HTTP, NO_PROXY: 'a' })).toEqual({
      httpsProxy: HTTP,
      httpProxy: HTTP,
      noProxy: 'a',
    });
    expect(readProxyEnvironment({ HTTPS_PROXY: '' })).toEqual({});
  });

  it('takes a host and a port without a scheme, as curl does', () => {
    const { httpsProxy, httpProxy } = readProxyEnvironment({
      HTTPS_PROXY: 'user:pass@proxy.example:3128',
      HTTP_PROXY: '[::1]:8080/',
    });
    expect([httpsProxy, httpProxy]).toEqual(['http://user:pass@proxy.example:3128', 'http://[::1]:8080/']);
  });

  it('ignores HTTP_PROXY in a CGI program', () => {
    expect(readProxyEnvironment({ HTTP_PROXY: HTTP, REQUEST_METHOD: 'GET' }).httpProxy).toBeUndefined();
  });

  it('names what is no URL and shows no value', () => {
    const read = () => readProxyEnvironment({ HTTPS_PROXY: 'secret:pass', http_proxy: 'ftp://secret' });
    expect(read).toThrowError(/HTTPS_PROXY.*http_proxy/);
    expect(read).not.toThrowError(/secret/);
  });
});
