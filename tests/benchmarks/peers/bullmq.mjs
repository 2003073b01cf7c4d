// BullMQ as a peer: node bullmq.mjs HOME enqueue|work ORDER REDIS
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import http from 'node:http'

const [home, verb, place, redis] = process.argv.slice(2)
const { Queue, Worker } = createRequire(home + '/package.json')('bullmq')
const order = JSON.parse(readFileSync(place))
const connection = { host: '127.0.0.1', port: Number(new URL(redis).port), maxRetriesPerRequest: null }
const target = new URL(order.url + '/api/v1/statuses')
const agent = new http.Agent({ keepAlive: true, maxSockets: order.concurrency })

function send(number) {
  const body = JSON.stringify({ status: `post ${number}` })
  const headers = {
    'Authorization': `Bearer ${order.token}`,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Idempotency-Key': String(number).padStart(64, '0'),
  }
  const options = { host: target.hostname, port: target.port, path: target.pathname, method: 'POST', agent, headers }
  return new Promise((resolve, reject) => {
    const request = http.request(options, (answer) => {
      const pieces = []
      answer.on('data', (piece) => pieces.push(piece))
      answer.on('end', () => resolve(JSON.parse(Buffer.concat(pieces)).id))
    })
    request.on('error', reject)
    request.end(body)
  })
}

async function enqueue() {
  const queue = new Queue('posts', { connection })
  for (let start = 0; start < order.dues.length; start += 500) {
    const now = Date.now()
    await queue.addBulk(order.dues.slice(start, start + 500).map((due, n) => ({
      name: 'post', data: { number: start + n }, opts: { delay: Math.max(0, Math.ceil(due * 1000 - now)) },
    })))
  }
  await queue.close()
}

async function work() {
  const worker = new Worker('posts', (job) => send(job.data.number), { connection, concurrency: order.concurrency })
  worker.on('error', (error) => console.error(error.message))
  await worker.waitUntilReady()
  console.log('ready')
  process.on('SIGTERM', () => process.exit(0))
}

await (verb === 'enqueue' ? enqueue() : work())
