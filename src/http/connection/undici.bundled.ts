export { buildConnector, Client, ProxyAgent } from 'undici';
