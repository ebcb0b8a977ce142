/**
 * A self-signed certificate for 127.0.0.1 and localhost, for tests only, valid for a hundred years. Its key protects
 * nothing. Made by `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
 * -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost`; kept here, for not every machine has openssl.
 */
export const TEST_CERTIFICATE = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUYp9sIOektbcKNqdN92ol3X8nUAIwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE0NTIxNloYDzIxMjYxMDI5
MTQ1MjE2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATlBMdRAoY3EpAlNeTqFomUv0J18r54nkJjzaryot457mBcYRkdCzdS
v+S117DMPPA3MFhaR0HbmghpiuiQiKx8o28wbTAdBgNVHQ4EFgQU3m+6+cpNmOCQ
Hd71znXiLAwAUJgwHwYDVR0jBBgwFoAU3m+6+cpNmOCQHd71znXiLAwAUJgwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSAAwRQIgNU6ua/4VFW9L8UH5QmmAwegJUzWDUjrlVwl4WVb7BO8CIQDD
+0fXGvIT7Egoez+UD545C8kHEdkk/9Maaqytb2ki/w==
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgE4PFVpyjptzI4pb9
p/5pv661d05pPqv8iNN+iayWw8ihRANCAATlBMdRAoY3EpAlNeTqFomUv0J18r54
nkJjzaryot457mBcYRkdCzdSv+S117DMPPA3MFhaR0HbmghpiuiQiKx8
-----END PRIVATE KEY-----`,
} as const;
