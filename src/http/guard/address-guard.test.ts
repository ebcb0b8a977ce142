import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressGuard, type AddressGuardOptions } from './address-guard.ts';
import { parseAddress } from './ip-address.ts';
import { hostOf } from './private-host.ts';
import { isPublicAddress } from './public-address.ts';

const verdict = (url: string, options: AddressGuardOptions = {}) => {
  try {
    new AddressGuard(options).checkUrl(url);
    return 'passes';
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const address = (text: string, options: AddressGuardOptions = {}, host = 'images.example.com') => {
  try {
    new AddressGuard(options).checkAddress(host, text);
    return 'passes';
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const FORBIDDEN = 'DESCRIBE_IMAGE_FORBIDDEN';

describe('AddressGuard', () => {
  it('passes public hosts as they are written', () => {
    const urls = [
      'https://example.com/cat.jpg',
      'http://images.example.co.uk:8080/a/b?c=d',
      'https://xn--bcher-kva.example/cat',
      'https://8.8.8.8/cat',
      'https://[2606:4700::1111]/cat',
      'https://[64:ff9b::808:808]/cat',
      'https://[2606:4700::5efe:8.8.8.8]/cat',
      'https://example.com./cat',
      'https://localhost.example.com/',
      'https://127.0.0.1.example.com/',
      'https://my-internal.example.com/',
      'https://172.32.0.1/',
      'https://100.128.0.1/',
      'https://169.253.1.1/',
      'https://11.0.0.1/',
    ];
    for (const url of urls) expect(verdict(url), url).toBe('passes');
  });

  it('forbids private, reserved and metadata hosts in every encoding', () => {
    const hosts = [
      '127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 0x7f.1 127.255.255.254',
      '0.0.0.0 0 10.0.0.1 10.1 172.16.0.1 172.31.255.255 192.168.0.1 192.168.257 100.64.0.1 100.100.100.200',
      '169.254.169.254 0xa9fea9fe 2852039166 0251.0376.0251.0376 169.254.43518 168.63.129.16 192.0.0.192',
      '198.18.0.1 198.19.255.255 192.0.2.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1',
      '255.255.255.255 192.88.99.1 127.0.0.1. ①②⑦.0.0.1 １２７.０.０.１ 127。0。0。1 %31%32%37.0.0.1',
      '[::] [::1] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:a9fe:a9fe] [::127.0.0.1]',
      '[fe80::1] [fec0::1] [fc00::1] [fd00:ec2::254] [ff02::1] [64:ff9b::7f00:1] [64:ff9b::10.0.0.1]',
      '[64:ff9b:1::1] [2001::1] [2001:db8::1] [2002:7f00:1::] [2002:a00:1::1] [100::1] [3fff::1] [5f00::1]',
      'localhost LOCALHOST localhost. a.localhost ｌｏｃａｌｈｏｓｔ localhost.localdomain metadata intranet',
      'images.default.svc a.test a.invalid redis.service.consul host.docker localhost6.localdomain6',
      '127.1.. 0x7f.1.. 0177.0.0.1.. 169.254.43518... 127.1%2e%2e 127.1。。 localhost.. a..b.example example.com.. .example.com 。example.com',
      '[2606:4700::5efe:127.0.0.1] [2606:4700::200:5efe:10.0.0.1] [::ffff:0:127.0.0.1]',
      'metadata.google.internal instance-data.ec2.internal printer.local router.lan nas.home.arpa',
    ].flatMap((line) => line.split(' '));
    for (const host of hosts) expect(verdict(`http://${host}/cat.jpg`), host).toBe(FORBIDDEN);
    expect(hosts.length).toBeGreaterThan(60);
  });

  it('forbids credentials, and anything but http and https', () => {
    expect(verdict('https://user@example.com/')).toBe(FORBIDDEN);
    expect(verdict('https://:secret@example.com/')).toBe(FORBIDDEN);
    for (const url of [
      'ftp://example.com/',
      'gopher://example.com/',
      'file:///etc/hosts',
      'javascript:0',
      '//example.com',
    ]) {
      expect(verdict(url), url).toBe('DESCRIBE_INPUT_INVALID');
    }
    expect(verdict(`https://example.com/${'a'.repeat(20_000)}`)).toBe('DESCRIBE_INPUT_INVALID');
  });

  it('checks each resolved address', () => {
    expect(address('93.184.215.14')).toBe('passes');
    expect(address('2606:4700::1111')).toBe('passes');
    expect(address('::ffff:8.8.8.8')).toBe('passes');
    for (const text of ['127.0.0.1', '::1', '::ffff:10.0.0.1', 'fe80::1%eth0', 'not an address', '']) {
      expect(address(text), text).toBe(FORBIDDEN);
    }
  });

  it('allows named private hosts and ranges, and nothing beside them', () => {
    const allowHosts = ['10.1.0.0/16', 'minio.internal', '*.corp', '::1'];
    expect(verdict('http://10.1.2.3/', { allowHosts })).toBe('passes');
    expect(verdict('http://10.2.2.3/', { allowHosts })).toBe(FORBIDDEN);
    expect(verdict('http://minio.internal:9000/', { allowHosts })).toBe('passes');
    expect(verdict('http://other.internal/', { allowHosts })).toBe(FORBIDDEN);
    expect(verdict('http://a.b.corp/', { allowHosts })).toBe('passes');
    expect(verdict('http://[::1]/', { allowHosts })).toBe('passes');
    // An allowed name may resolve to a private address; another name may not.
    expect(address('172.16.0.9', { allowHosts }, 'minio.internal')).toBe('passes');
    expect(address('172.16.0.9', { allowHosts }, 'images.example.com')).toBe(FORBIDDEN);
  });

  it('lets denyHosts win and onlyHosts bound the rest', () => {
    const options = { onlyHosts: ['*.example.com'], denyHosts: ['bad.example.com', '93.184.0.0/16'] };
    expect(verdict('https://img.example.com/', options)).toBe('passes');
    expect(verdict('https://example.com/', options)).toBe(FORBIDDEN);
    expect(verdict('https://other.org/', options)).toBe(FORBIDDEN);
    expect(verdict('https://BAD.example.com./', options)).toBe(FORBIDDEN);
    expect(address('93.184.215.14', options, 'img.example.com')).toBe(FORBIDDEN);
    expect(address('8.8.8.8', options, 'img.example.com')).toBe('passes');
    expect(address('10.0.0.1', options, 'img.example.com')).toBe(FORBIDDEN);
    expect(verdict('http://10.0.0.1/', { allowHosts: ['10.0.0.0/8'], denyHosts: ['10.0.0.1'] })).toBe(FORBIDDEN);
  });

  it('takes a range of IPv4 to mean its addresses inside of IPv6', () => {
    const denyHosts = ['93.184.216.0/24', '127.0.0.0/8'];
    for (const host of ['93.184.216.34', '[::ffff:93.184.216.34]', '[64:ff9b::93.184.216.34]']) {
      expect(verdict(`http://${host}/`, { denyHosts }), host).toBe(FORBIDDEN);
    }
    expect(verdict('http://[::ffff:127.0.0.1]/', { denyHosts, allowHosts: ['::/0'] })).toBe(FORBIDDEN);
    expect(address('::ffff:93.184.216.34', { denyHosts })).toBe(FORBIDDEN);
    expect(address('::ffff:10.0.0.1', { allowHosts: ['10.0.0.0/8'] })).toBe('passes');
    expect(verdict('http://[::ffff:8.8.8.8]/', { onlyHosts: ['8.8.8.0/24'] })).toBe('passes');
    expect(verdict('http://[2606:4700::5efe:8.8.8.8]/', { onlyHosts: ['8.8.8.0/24'] })).toBe(FORBIDDEN);
    expect(verdict('http://[::ffff:8.8.8.8]/', { denyHosts: ['8.8.4.0/24'] })).toBe('passes');
  });

  it('passes no host that a resolver would read as a number, but for public addresses written plainly', () => {
    const pieces =
      '127 0 1 10 0x7f 0177 169 254 0xa9fea9fe 2130706433 x 0x a e ffff 7f00 ① １ : :: [ ] % %2e . . . .. 。 ．'.split(
        ' ',
      );
    const piece = fc.constantFrom(...pieces, '\u00ad', '@', '/', '\\', '#', '?', '\t', '-', '_');
    // The numbers of C's inet_aton: up to four, decimal, octal or hexadecimal.
    const number = /^(?:0x[\da-f]*|\d+)(?:\.(?:0x[\da-f]*|\d+)){0,3}\.*$/i;
    const guard = new AddressGuard();
    let passed = 0;
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 9 }), (parts) => {
        const url = `http://${parts.join('')}/cat.jpg`;
        if (verdict(url) !== 'passes') return;
        passed += 1;
        const host = hostOf(guard.checkUrl(url));
        const literal = parseAddress(host);
        if (literal === undefined) expect(host, url).not.toMatch(number);
        else expect(isPublicAddress(literal), url).toBe(true);
      }),
      { numRuns: 20_000, seed: 6 },
    );
    expect(passed).toBeGreaterThan(100);
  });

  it('refuses patterns that are none', () => {
    for (const pattern of ['http://x', '10.0.0.0/99', '*', 'a b', '', 'host:80', '10.0.0.0/8/8']) {
      expect(() => new AddressGuard({ denyHosts: [pattern] }), pattern).toThrow(/denyHosts\[0\]/);
    }
  });
});
