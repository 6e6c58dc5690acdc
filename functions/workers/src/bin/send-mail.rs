fn main() -> std::process::ExitCode {
    workers::send_mail::main()
}
