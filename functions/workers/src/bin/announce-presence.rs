fn main() -> std::process::ExitCode {
    workers::announce_presence::main()
}
