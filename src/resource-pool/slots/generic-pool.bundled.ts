export { createPool } from 'generic-pool';
